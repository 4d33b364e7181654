// Server-sent events read from a fetch: unlike EventSource it can send a token, a body and Last-Event-ID.

/**
 * Read a response of server-sent events to its end.
 *
 * @param {Response} response whose body is text/event-stream
 * @param {(event: {name: string, data: any, id: string|null}) => void} onEvent data are parsed JSON, else the text
 * @param {() => void} [onBytes] called whenever anything comes, pings too
 */
export async function readEvents(response, onEvent, onBytes = () => {}) {
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    onBytes();
    const blocks = (rest + value).replaceAll("\r\n", "\n").split("\n\n");
    rest = blocks.pop();
    for (const block of blocks) {
      const event = parseBlock(block);
      if (event !== null) onEvent(event);
    }
  }
}

function parseBlock(block) {
  let name = "message";
  let id = null;
  const lines = [];
  for (const line of block.split("\n")) {
    const colon = line.indexOf(":");
    if (colon <= 0) continue; // a comment, such as a ping
    const field = line.slice(0, colon);
    const value = line.slice(line[colon + 1] === " " ? colon + 2 : colon + 1);
    if (field === "event") name = value;
    else if (field === "id") id = value;
    else if (field === "data") lines.push(value);
  }
  if (lines.length === 0) return null;
  const text = lines.join("\n");
  try {
    return { name, id, data: JSON.parse(text) };
  } catch {
    return { name, id, data: text };
  }
}
