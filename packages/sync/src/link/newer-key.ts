// A host that shows keys which its peers know it has left is told so, with the proof: it may not know, after its state was brought back
// from an old copy. It is told in the answer when it calls, and by a request of its own when it is called.
import type { IncomingHttpHeaders, IncomingMessage } from "node:http";
import { request } from "node:https";
import type { HostKey } from "./host-key.ts";
import { credentials } from "./tls.ts";

const HEADER = "knib-keys";
const PATH = "/newer-key";
const TIMEOUT_MS = 10_000;

/** The succession that a request or an answer tells of. */
export const toldKeys = (headers: IncomingHttpHeaders): string | undefined => {
	const value = headers[HEADER];
	return typeof value === "string" ? value : undefined;
};

/** The line of a header that tells it. */
export const newerKeysHeader = (succession: string): string => `${HEADER}: ${succession}\r\n`;

/** True for a request that does nothing but tell of newer keys. */
export const isTelling = ({ method, url }: Pick<IncomingMessage, "method" | "url">): boolean =>
	method === "HEAD" && url === PATH;

/** Tells whoever answers there of newer keys. What becomes of it is of no matter: it is told again when it is called again. */
export const tellNewerKeys = (
	{ key, host, port }: { readonly key: HostKey; readonly host: string; readonly port: number },
	succession: string,
): void => {
	const telling = request({
		...{ host, port, path: PATH, method: "HEAD", agent: false, timeout: TIMEOUT_MS },
		...{ ...credentials(key), rejectUnauthorized: false },
		headers: { [HEADER]: succession },
	});
	telling.on("response", (response) => response.resume());
	telling.on("timeout", () => telling.destroy());
	telling.on("error", () => undefined);
	telling.end();
};
