import time
from knowledge import parse_document, RecallQuery
from gems import GemChange


async def test_probe(ingestion, recall, gems, database, tenant, at):
    gem = await gems.create(tenant, GemChange(name="odd"), at)
    for n in (1250, 2500, 5000):
        d = {"id": f"{n}", "text": "The fleet calls at many ports."}
        d["relations"] = [[f"Ship {n} {i}", "calls at", f"Port {i % 50}"] for i in range(n)]
        d["entities"] = [f"Ship {n} {i}" for i in range(n)]
        t = time.time()
        await ingestion.ingest(tenant, gem.gem_id, [parse_document(d)], at)
        print("ingest", n, time.time() - t, flush=True)
        t = time.time()
        await recall.recall(tenant, RecallQuery(f"Where does Ship {n} 7 call?"), at)
        print("recall", time.time() - t, flush=True)
        t = time.time()
        await recall.recall(tenant, RecallQuery(f"Where does Ship {n} 8 call?"), at)
        print("recall", time.time() - t, flush=True)
        t = time.time()
        await ingestion.ingest(tenant, gem.gem_id, [parse_document({"id": d["id"], "text": "Gone."})], at)
        print("replace", time.time() - t, flush=True)
