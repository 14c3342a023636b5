// Calling a peer: once, or again and again with growing pauses.
import { WebSocket } from "ws";
import { LONGEST_FRAME } from "../wire/frames.ts";
import type { ProvenKey } from "./host-key.ts";
import type { Link } from "./link.ts";
import { tellNewerKeys, toldKeys } from "./newer-key.ts";
import { socketLink } from "./socket-link.ts";
import { credentials, type KeyRules, provenPeer } from "./tls.ts";

/** Whom to call, and as whom. */
export type DialOptions = KeyRules & {
	readonly host: string;
	readonly port: number;
	/** The id that the other end has to prove. */
	readonly peer: string;
};

const HANDSHAKE_MS = 10_000;
const SHORTEST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 30_000;

/** True for the one of two hosts that calls the other, so that a pair has one link. */
export const isDialer = (self: string, peer: string): boolean => self < peer;

/** The pause before the next call after so many that failed; `random` in [0, 1) spreads the hosts. */
export const pauseMs = (failures: number, random: number): number =>
	Math.min(LONGEST_PAUSE_MS, SHORTEST_PAUSE_MS * 2 ** Math.min(failures, 20)) * (0.5 + random / 2);

/** Why a peer that answers is refused; undefined when it is the one called, with its newest key. */
const refusal = (options: DialOptions, proven: ProvenKey | undefined): string | undefined => {
	const { host, port, peer, key, newerKeys } = options;
	if (proven?.host !== peer) return `another host answers at ${host}:${port}`;
	const newer = newerKeys?.(proven);
	if (newer === undefined) return undefined;
	tellNewerKeys({ key: key(), host, port }, newer);
	return `${host}:${port} shows a key that the host has left`;
};

/** Calls a peer. Rejects when nobody answers there, or somebody else, or the peer with a key that it has left. */
export const dialPeer = async (options: DialOptions): Promise<Link> =>
	new Promise((resolve, reject) => {
		const { host, port, key } = options;
		const socket = new WebSocket(`wss://${host.includes(":") ? `[${host}]` : host}:${port}/`, {
			...credentials(key()),
			rejectUnauthorized: false,
			handshakeTimeout: HANDSHAKE_MS,
			maxPayload: LONGEST_FRAME,
			perMessageDeflate: false,
		});
		let proven: ProvenKey | undefined;
		socket.on("upgrade", (response) => {
			const shown = provenPeer(response.socket);
			const why = refusal(options, shown);
			if (why === undefined) {
				proven = shown;
				return;
			}
			reject(new Error(why));
			socket.terminate();
		});
		socket.on("unexpected-response", (request, response) => {
			const told = toldKeys(response.headers);
			if (told !== undefined) options.onToldKeys?.(told);
			request.destroy();
			reject(new Error(`${host}:${port} refuses the link`));
		});
		socket.on("error", reject);
		socket.once("open", () => {
			if (proven !== undefined) resolve(socketLink(socket, proven));
		});
	});

/** Keeps a link to a peer: calls, and calls again whenever it ends, until the returned function is called. */
export const keepDialing = (
	options: DialOptions,
	onLink: (link: Link, ended: () => void) => void,
): (() => void) => {
	let failures = 0;
	let timer: NodeJS.Timeout | undefined;
	let stopped = false;
	const again = (): void => {
		if (stopped) return;
		timer = setTimeout(call, pauseMs(failures, Math.random()));
		timer.unref();
		failures += 1;
	};
	const call = (): void => {
		dialPeer(options).then(
			(link) => {
				if (stopped) {
					link.close("this host goes");
					return;
				}
				failures = 0;
				onLink(link, again);
			},
			() => {
				again();
			},
		);
	};
	call();
	return () => {
		stopped = true;
		clearTimeout(timer);
	};
};
