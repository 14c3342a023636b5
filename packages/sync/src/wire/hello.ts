import { DOCUMENT_KINDS, type DocumentKind, FARTHEST_AHEAD_MS } from "@knib/core";
import { type Hello, PROTOCOL, SCHEMA_VERSION } from "./frames.ts";

/** What this host says first. */
export const makeHello = (node: string, epoch: string, wallClock: number): Hello => ({
	type: "hello",
	protocol: PROTOCOL,
	node,
	epoch,
	wallClock,
	schemaVersions: Object.fromEntries(DOCUMENT_KINDS.map((kind) => [kind, SCHEMA_VERSION])),
});

/** Why this link cannot be used, undefined when it can. */
export const helloProblem = (hello: Hello, peer: string, wallMs: number): string | undefined => {
	if (hello.node !== peer) return "the peer names a host that it is not";
	if (hello.protocol !== PROTOCOL) {
		return `the peer speaks protocol ${hello.protocol}, this host ${PROTOCOL}`;
	}
	const skew = hello.wallClock - wallMs;
	if (Math.abs(skew) <= FARTHEST_AHEAD_MS) return undefined;
	return `the peer's clock is ${Math.round(skew / 1000)} s from this host's`;
};

/** The kinds that this host understands as the peer writes them; the others are held until it is upgraded. */
export const understoodKinds = (hello: Hello): readonly DocumentKind[] =>
	DOCUMENT_KINDS.filter((kind) => {
		const version = hello.schemaVersions[kind];
		return version !== undefined && version <= SCHEMA_VERSION;
	});
