// One question over TLS 1.3 with both certificates shown: a host that holds a code asks to be paired. Nothing is sent before the
// other end has proven to be the host that the code names.
import type { IncomingMessage, ServerResponse } from "node:http";
import { request as httpsRequest, type RequestOptions } from "node:https";
import { asKnibError, isErrorCode, KnibError, viewError } from "@knib/core";
import { credentials, type KeyRules, provenPeer } from "./tls.ts";

const PATH = "/pair";
/** Bytes of a question or an answer. */
const LONGEST = 16 * 1024;
const TIMEOUT_MS = 10_000;

/** True for a request that asks to be paired. */
export const isPairing = ({ method, url }: Pick<IncomingMessage, "method" | "url">): boolean =>
	method === "POST" && url === PATH;

const readJson = async (stream: AsyncIterable<unknown>): Promise<unknown> => {
	let text = "";
	for await (const chunk of stream) {
		text += String(chunk);
		if (text.length > LONGEST) throw new KnibError("PAIRING_FAILED", "too much was sent");
	}
	try {
		return JSON.parse(text);
	} catch (cause) {
		throw new KnibError("PAIRING_FAILED", "what was sent is not JSON", { cause });
	}
};

/** Answers a request; false when it was refused. Never rejects. */
export const answerPairing = async (
	request: IncomingMessage,
	response: ServerResponse,
	pair: (body: unknown) => Promise<unknown>,
): Promise<boolean> => {
	request.setEncoding("utf8");
	request.setTimeout(TIMEOUT_MS, () => request.destroy());
	const reply = (status: number, value: unknown): void => {
		response
			.writeHead(status, { "content-type": "application/json", connection: "close" })
			.end(JSON.stringify(value));
	};
	try {
		reply(200, await pair(await readJson(request)));
		return true;
	} catch (thrown) {
		const { code, message, hint } = viewError(asKnibError(thrown));
		reply(403, { code, message, hint });
		return false;
	}
};

/** Whom to ask, and as whom. */
export type PairOptions = KeyRules & {
	readonly host: string;
	readonly port: number;
	/** The id that the other end has to prove. */
	readonly peer: string;
};

const refusalOf = (answer: unknown): KnibError => {
	const view = typeof answer === "object" && answer !== null ? { ...answer } : {};
	const { code, message, hint }: { code?: unknown; message?: unknown; hint?: unknown } = view;
	const words = typeof message === "string" ? message : "the other host refused";
	const details = typeof hint === "string" ? { hint } : {};
	return new KnibError(isErrorCode(code) ? code : "PAIRING_FAILED", words, { details });
};

/** Asks to be paired. Rejects with PEER_UNREACHABLE when nobody or somebody else answers there, else with what the other host says. */
export const askToPair = async (options: PairOptions, body: unknown): Promise<unknown> => {
	const { key, host, port, peer, newerKeys } = options;
	const call: RequestOptions = {
		host,
		port,
		path: PATH,
		method: "POST",
		agent: false,
		...credentials(key()),
		rejectUnauthorized: false,
		timeout: TIMEOUT_MS,
	};
	const response = await new Promise<IncomingMessage>((resolve, reject) => {
		const asked = httpsRequest(call, resolve);
		asked.on("timeout", () => asked.destroy(new Error("it did not answer in time")));
		asked.on("error", reject);
		asked.on("socket", (socket) => {
			socket.once("secureConnect", () => {
				const proven = provenPeer(socket);
				if (proven?.host !== peer) asked.destroy(new Error("another host answers there"));
				else if (newerKeys?.(proven) === undefined) asked.end(JSON.stringify(body));
				else asked.destroy(new Error("it shows a key that the host has left"));
			});
		});
	}).catch((thrown: unknown) => {
		const why = thrown instanceof Error ? thrown.message : String(thrown);
		throw new KnibError("PEER_UNREACHABLE", `cannot reach ${host}:${port}: ${why}`, {
			cause: thrown,
			details: { hint: "check that knibd runs there, listens, and that no firewall is between" },
		});
	});
	response.setEncoding("utf8");
	const answer = await readJson(response);
	if (response.statusCode === 200) return answer;
	throw refusalOf(answer);
};
