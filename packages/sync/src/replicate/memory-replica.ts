import {
	canonicalJson,
	type DocumentKind,
	mergeDocuments,
	type ReplicaDocument,
	replicaKey,
} from "@knib/core";
import type { ReplicaCheckpoint } from "../wire/frames.ts";
import { Digest, isTombstone } from "./digest.ts";
import type { Replica, ReplicaPage } from "./replica.ts";

type Entry = { readonly seq: number; readonly at: number; readonly document: ReplicaDocument };

type Shelf = { readonly entries: Map<string, Entry>; readonly digest: Digest };

/** A replica in memory: all it holds is gone with the object. `now` is used for the age of tombstones only. */
export const createMemoryReplica = (epoch: string, now: () => number): Replica => {
	const shelves = new Map<DocumentKind, Shelf>();
	const checkpoints = new Map<string, ReplicaCheckpoint>();
	const listeners = new Set<(kind: DocumentKind) => void>();
	let lastSeq = 0;

	const shelfOf = (kind: DocumentKind): Shelf => {
		const found = shelves.get(kind);
		if (found !== undefined) return found;
		const made = { entries: new Map<string, Entry>(), digest: new Digest() };
		shelves.set(kind, made);
		return made;
	};

	/** True when the document brought something new. A written entry moves to the end. */
	const mergeOne = (document: ReplicaDocument): boolean => {
		const { entries, digest } = shelfOf(document.kind);
		const key = replicaKey(document);
		const before = entries.get(key)?.document;
		const after = before === undefined ? document : mergeDocuments(before, document);
		if (before !== undefined && canonicalJson(before) === canonicalJson(after)) return false;
		lastSeq += 1;
		entries.delete(key);
		entries.set(key, { seq: lastSeq, at: now(), document: after });
		digest.set(key, after);
		return true;
	};

	const page = (kind: DocumentKind, from: number, limit: number): ReplicaPage => {
		const documents: ReplicaDocument[] = [];
		let seq = from;
		let more = false;
		for (const entry of shelfOf(kind).entries.values()) {
			if (entry.seq <= from) continue;
			more = documents.length === limit;
			if (more) break;
			documents.push(entry.document);
			seq = entry.seq;
		}
		return { documents, checkpoint: { epoch, seq }, more };
	};

	return {
		epoch,
		merge: async (documents, read) => {
			if (read !== undefined) checkpoints.set(`${read.peer}/${read.kind}`, read.checkpoint);
			const changed = new Set(documents.filter(mergeOne).map(({ kind }) => kind));
			for (const kind of changed) for (const listener of listeners) listener(kind);
		},
		holds: (document) => {
			const held = shelfOf(document.kind).entries.get(replicaKey(document))?.document;
			return held !== undefined && canonicalJson(held) === canonicalJson(document);
		},
		since: async (kind, checkpoint, limit) => {
			const isOurs = checkpoint?.epoch === epoch && checkpoint.seq <= lastSeq;
			return page(kind, isOurs ? checkpoint.seq : 0, limit);
		},
		list: async (kind) =>
			[...shelfOf(kind).entries]
				.sort(([a], [b]) => (a < b ? -1 : 1))
				.map(([, { document }]) => document),
		digest: async (kind) => shelfOf(kind).digest.hex,
		checkpoint: async (peer, kind) => checkpoints.get(`${peer}/${kind}`),
		lag: (kind, seq) => {
			const missing = [...shelfOf(kind).entries.values()].filter((entry) => entry.seq > seq);
			return { documents: missing.length, oldestAt: missing[0]?.at ?? null };
		},
		subscribe: (listener) => {
			listeners.add(listener);
			return () => {
				listeners.delete(listener);
			};
		},
		purge: async (kind, acknowledged, writtenBefore) => {
			const { entries } = shelfOf(kind);
			const gone = [...entries].filter(
				([, { seq, at, document }]) =>
					isTombstone(document) && seq <= acknowledged && at <= writtenBefore,
			);
			for (const [key] of gone) entries.delete(key);
			return gone.length;
		},
	};
};
