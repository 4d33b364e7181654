// The REST API. Whatever goes wrong is a Problem: its `detail` says what mends it.

import { readEvents } from "./events.js";

export const ROOT = "/api/v1";
const TOKEN_KEY = "lattice.token";

/** An error of the service (RFC 9457), or of the way to it (status 0). */
export class Problem extends Error {
  constructor({ status = 0, code = "unknown", title = "", detail = "", request_id: requestId = null, details = null }) {
    super(detail || title || code);
    Object.assign(this, { name: "Problem", status, code, title, detail: detail || title, requestId, details });
  }
}

/** Say whether an error is only that the view was left before the answer came. */
export const isAbort = (error) => error?.name === "AbortError";

/** Say whether an error is that what an id names is not there, or that it is no id. */
export const isMissing = (error) => error?.status === 404 || (error?.status === 422 && /_id$|^entity$/.test(error.details?.field));

export const token = {
  read() {
    try {
      return sessionStorage.getItem(TOKEN_KEY);
    } catch {
      return token.kept; // storage is switched off: it lasts as long as the page
    }
  },
  write(value) {
    token.kept = value;
    try {
      sessionStorage.setItem(TOKEN_KEY, value);
    } catch {
      return;
    }
  },
  kept: null,
};

/**
 * Return what talks to the API.
 *
 * @param {() => Promise<void>} askForToken resolves once the viewer gave a (new) token
 * @param {AbortSignal} [signal] ends what runs when the view is left
 */
export function createApi(askForToken, signal) {
  async function send(method, path, { query, body, headers = {}, signal: own = signal } = {}) {
    const url = ROOT + path + toQuery(query);
    for (;;) {
      const used = token.read();
      const response = await reach(url, {
        method,
        signal: own,
        cache: "no-store",
        body: body === undefined ? undefined : body instanceof FormData ? body : JSON.stringify(body),
        headers: {
          accept: "application/json",
          ...(body === undefined || body instanceof FormData ? {} : { "content-type": "application/json" }),
          ...(used ? { authorization: `Bearer ${used}` } : {}),
          ...headers,
        },
      });
      if (response.ok) return response;
      const problem = await toProblem(response);
      if (problem.status !== 401) throw problem;
      if (used === token.read()) await askForToken(); // else another request has asked meanwhile
    }
  }

  const json = async (method, path, options) => {
    const response = await send(method, path, options);
    return response.status === 204 ? null : await response.json().catch(() => null);
  };

  return {
    /** GET; `query` is an object, whose empty values are left out. */
    get: (path, query, options) => json("GET", path, { query, ...options }),
    post: (path, body = {}, options) => json("POST", path, { body, ...options }),
    put: (path, body = {}, options) => json("PUT", path, { body, ...options }),
    patch: (path, body = {}, options) => json("PATCH", path, { body, ...options }),
    del: (path, query, options) => json("DELETE", path, { query, ...options }),
    /** The Response itself, for what is no JSON. */
    send,
    /** POST (or what `method` says) and read server-sent events until they end; see events.js. */
    async stream(path, { body, query, headers, onEvent, onBytes, method = "POST", signal: own = signal }) {
      const accept = { accept: "text/event-stream", ...headers };
      const response = await send(method, path, { body, query, headers: accept, signal: own });
      await readEvents(response, onEvent, onBytes);
    },
  };
}

/** Encode one part of a path. */
export const part = (value) => encodeURIComponent(String(value));

function toQuery(query) {
  const found = Object.entries(query || {}).filter(([, value]) => value !== undefined && value !== null && value !== "");
  return found.length ? `?${new URLSearchParams(found)}` : "";
}

async function reach(url, options) {
  try {
    return await fetch(url, options);
  } catch (error) {
    if (isAbort(error)) throw error;
    throw new Problem({
      code: "unreachable",
      detail: "The service does not answer. Check that `lattice serve` is running and that this machine reaches it.",
    });
  }
}

async function toProblem(response) {
  const body = await response.json().catch(() => ({}));
  const fallback = { title: response.statusText, code: `http_${response.status}` };
  return new Problem({ ...fallback, ...body, status: response.status });
}
