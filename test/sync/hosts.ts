// Hosts for tests: a key, a replica in memory, a mesh.
import { generateKeyPairSync } from "node:crypto";
import {
	canonicalJson,
	DOCUMENT_KINDS,
	type DocumentBody,
	type DocumentKind,
	type Hlc,
	laterHlc,
	nextHlc,
	type OwnedDocument,
	ownedText,
	type ReplicaDocument,
	type SharedDocument,
	writeFields,
} from "@knib/core";
import {
	createMemoryReplica,
	createMesh,
	createSigner,
	createVerifier,
	firstKey,
	type HostKey,
	nextKey,
	proveSuccession,
} from "@knib/sync";

/** What hosts of one test share: who is a member. */
export type Cluster = { readonly members: Set<string> };

export type HostOptions = {
	/** How far this host's clock is wrong, in milliseconds. */
	readonly skew?: number;
	readonly timeoutMs?: number;
	readonly digestEveryMs?: number;
};

/** A document of one owner, signed by it. */
export const ownedBy = (
	sign: (text: string) => string,
	document: Omit<OwnedDocument, "way" | "sig">,
): OwnedDocument => {
	const unsigned = { way: "owned" as const, ...document };
	return { ...unsigned, sig: sign(ownedText(unsigned)) };
};

/** A private key of its own. */
export const newPrivateKey = () => generateKeyPairSync("ed25519").privateKey;

/** The first key of a new host. */
export const aKey = (): HostKey => firstKey(newPrivateKey());

/** The id of the host that a key is of. */
export const idOf = ({ succession }: HostKey): string => proveSuccession(succession)?.host ?? "";

export const makeHost = (
	cluster: Cluster,
	{ skew = 0, timeoutMs = 2000, digestEveryMs = 100 }: HostOptions = {},
) => {
	let current = aKey();
	const key = (): HostKey => current;
	const id = idOf(current);
	cluster.members.add(id);
	const sign = createSigner(key);
	const verify = createVerifier();
	const replica = createMemoryReplica(`epoch-${id.slice(0, 8)}`, () => Date.now());
	const wall = (): number => Date.now() + skew;
	const newMesh = () =>
		createMesh({
			self: id,
			replica,
			judge: () => ({ isKnown: (host) => cluster.members.has(host), verify, wallMs: wall() }),
			members: () => [...cluster.members],
			timeoutMs,
			digestEveryMs,
		});
	let mesh = newMesh();
	let ver = 0;
	let last: Hlc = "000000000000-0000";

	const shared = async (kind: DocumentKind, name: string): Promise<SharedDocument> => {
		const found = (await replica.list(kind)).find((one) => one.id === name);
		return found?.way === "shared" ? found : { way: "shared", kind, id: name, fields: {} };
	};

	return {
		id,
		key,
		/** Gives the host another key. */
		rotate: (): void => {
			current = nextKey(current, newPrivateKey());
		},
		sign,
		replica,
		get mesh() {
			return mesh;
		},
		/** Ends the links and begins anew with the same replica. */
		restart: () => {
			mesh.close();
			mesh = newMesh();
		},
		put: async (kind: DocumentKind, name: string, body: DocumentBody | null) => {
			ver += 1;
			const document = { kind, id: name, owner: id, ver, body: body === null ? null : { ...body } };
			await replica.merge([ownedBy(sign, document)]);
		},
		write: async (kind: DocumentKind, name: string, values: Readonly<Record<string, unknown>>) => {
			const before = await shared(kind, name);
			const seen = Object.values(before.fields)
				.flat()
				.reduce((latest, { hlc }) => laterHlc(latest, hlc), last);
			last = nextHlc(seen, wall());
			await replica.merge([writeFields(before, values, { host: id, hlc: last, sign })]);
		},
		shared,
	};
};
export type TestHost = ReturnType<typeof makeHost>;

/** All that a host holds, as one text. */
export const contents = async (host: TestHost): Promise<string> => {
	const all: ReplicaDocument[] = [];
	for (const kind of DOCUMENT_KINDS) all.push(...(await host.replica.list(kind)));
	return canonicalJson(all);
};

/** Waits until a condition holds; rejects at the deadline. */
export const until = async (
	what: string,
	holds: () => Promise<boolean> | boolean,
	deadlineMs = 90_000,
): Promise<void> => {
	const end = Date.now() + deadlineMs;
	while (!(await holds())) {
		if (Date.now() > end) throw new Error(`not within ${deadlineMs} ms: ${what}`);
		await new Promise((resolve) => {
			setTimeout(resolve, 5);
		});
	}
};

/** Waits until all hosts hold the same, byte for byte. */
export const untilEqual = (hosts: readonly TestHost[], what = "equal replicas"): Promise<void> =>
	until(what, async () => new Set(await Promise.all(hosts.map(contents))).size === 1);
