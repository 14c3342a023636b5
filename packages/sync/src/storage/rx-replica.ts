// The replica on the store's collections: what peers read of this host, and where what they have is merged into.
import {
	canonicalJson,
	type DocumentKind,
	mergeDocuments,
	type ReplicaDocument,
	replicaKey,
} from "@knib/core";
import { Digest, isTombstone } from "../replicate/digest.ts";
import type { Lag, ReadSoFar, Replica, ReplicaPage } from "../replicate/replica.ts";
import type { ReplicaCheckpoint } from "../wire/frames.ts";
import type { RxEngine } from "./rx-engine.ts";
import { stampedRow } from "./rx-rows.ts";
import {
	checkpointForm,
	checkpointKey,
	checkpointOf,
	isCheckpoint,
	keptForm,
	keyOf,
	replicaForm,
	type Self,
	type Stored,
} from "./stored-form.ts";
import type { Turns } from "./turns.ts";
import type { WriterState } from "./writer-state.ts";

/** What a replica shares with the store it lies in. */
export type RxReplicaParts = {
	readonly engine: RxEngine;
	readonly turns: Turns;
	readonly self: Self;
	readonly state: WriterState;
};

/** Documents read at once. */
const PAGE = 1000;

const isSame = (before: ReplicaDocument, after: ReplicaDocument): boolean =>
	before === after || (after.way === "shared" && canonicalJson(before) === canonicalJson(after));

export class RxReplica implements Replica {
	readonly epoch: string;
	readonly #parts: RxReplicaParts;
	readonly #digests = new Map<DocumentKind, { sum: Digest; filled: Promise<void> }>();
	readonly #listeners = new Set<(kind: DocumentKind) => void>();

	constructor(parts: RxReplicaParts) {
		this.#parts = parts;
		this.epoch = parts.engine.epoch;
	}

	/** A document of the store has changed, and is durable. */
	changed(kind: DocumentKind, stored: Stored): void {
		if (isCheckpoint(stored.id)) return;
		this.#digests.get(kind)?.sum.set(stored.id, this.#unsigned(stored));
		for (const listener of this.#listeners) listener(kind);
	}

	#unsigned(stored: Stored): ReplicaDocument {
		return replicaForm(stored, { id: this.#parts.self.id, sign: () => "" });
	}

	async merge(documents: readonly ReplicaDocument[], read?: ReadSoFar): Promise<void> {
		const kinds = new Set(documents.map(({ kind }) => kind));
		if (read !== undefined) kinds.add(read.kind);
		for (const kind of kinds) {
			const some = documents.filter((document) => document.kind === kind);
			const keys = some.map((document) => keyOf(document, this.#parts.self.id));
			const turns = [...new Set(keys)].map((key) => `${kind}/${key}`);
			const mine = read?.kind === kind ? read : undefined;
			await this.#parts.turns.take(turns, () => this.#mergeKind(kind, some, mine));
		}
	}

	async #mergeKind(
		kind: DocumentKind,
		documents: readonly ReplicaDocument[],
		read: ReadSoFar | undefined,
	): Promise<void> {
		const { engine, self, state } = this.#parts;
		const collection = engine.durable(kind);
		const merged = new Map<string, ReplicaDocument>();
		for (const document of documents) {
			const key = keyOf(document, self.id);
			const stored = collection.peek(key);
			if (document.way === "owned" && stored !== undefined && stored.ver > document.ver) continue;
			const before =
				merged.get(key) ?? (stored === undefined ? undefined : replicaForm(stored, self));
			const after = before === undefined ? document : mergeDocuments(before, document);
			if (before === undefined || !isSame(before, after)) merged.set(key, after);
			this.#saw(document);
		}
		const kept = [...merged.values()].map((document) => {
			const ver = document.way === "shared" ? state.nextVersion() : document.ver;
			return keptForm(document, { self: self.id, ver });
		});
		if (read !== undefined) kept.push(checkpointForm(kind, read.peer, read.checkpoint));
		if (kept.length === 0) return;
		await engine.write(kind, kept.map(stampedRow));
	}

	#saw(document: ReplicaDocument): void {
		const { self, state } = this.#parts;
		if (document.way === "shared") {
			for (const registers of Object.values(document.fields)) {
				for (const { hlc } of registers) state.sawHlc(hlc);
			}
		} else if (document.owner === self.id) state.sawVersion(document.ver);
	}

	holds(document: ReplicaDocument): boolean {
		const { engine, self } = this.#parts;
		const stored = engine.durable(document.kind).peek(keyOf(document, self.id));
		if (stored === undefined) return false;
		if (document.way === "shared") {
			return canonicalJson(replicaForm(stored, self)) === canonicalJson(document);
		}
		return (
			document.owner !== self.id &&
			stored.ver === document.ver &&
			canonicalJson(replicaForm(stored, self)) === canonicalJson(document)
		);
	}

	async since(
		kind: DocumentKind,
		checkpoint: ReplicaCheckpoint | undefined,
		limit: number,
	): Promise<ReplicaPage> {
		const { engine, self } = this.#parts;
		const documents: ReplicaDocument[] = [];
		let at = checkpoint;
		let more = true;
		while (more && documents.length < limit) {
			const page = await engine
				.durable(kind)
				.getChangedDocumentsSince(limit - documents.length, at);
			more = page.documents.length === limit - documents.length;
			at = page.checkpoint;
			for (const stored of page.documents) {
				if (!isCheckpoint(stored.id)) documents.push(replicaForm(stored, self));
			}
		}
		return { documents, checkpoint: at ?? { epoch: this.epoch, seq: 0 }, more };
	}

	async #all(kind: DocumentKind): Promise<readonly ReplicaDocument[]> {
		const all: ReplicaDocument[] = [];
		let checkpoint: ReplicaCheckpoint | undefined;
		for (let more = true; more; ) {
			const page = await this.since(kind, checkpoint, PAGE);
			all.push(...page.documents);
			({ checkpoint, more } = page);
		}
		return all;
	}

	async list(kind: DocumentKind): Promise<readonly ReplicaDocument[]> {
		return [...(await this.#all(kind))].sort((a, b) => (replicaKey(a) < replicaKey(b) ? -1 : 1));
	}

	async digest(kind: DocumentKind): Promise<string> {
		const found = this.#digests.get(kind);
		if (found !== undefined) {
			await found.filled;
			return found.sum.hex;
		}
		const sum = new Digest();
		const filled = this.#fill(kind, sum);
		this.#digests.set(kind, { sum, filled });
		filled.catch(() => this.#digests.delete(kind));
		await filled;
		return sum.hex;
	}

	/** What changes meanwhile is set by `changed`, and is newer than what is read here. */
	async #fill(kind: DocumentKind, sum: Digest): Promise<void> {
		let checkpoint: ReplicaCheckpoint | undefined;
		for (let more = true; more; ) {
			const durable = this.#parts.engine.durable(kind);
			const page = await durable.getChangedDocumentsSince(PAGE, checkpoint);
			for (const stored of page.documents) {
				if (!isCheckpoint(stored.id) && !sum.knows(stored.id)) {
					sum.set(stored.id, this.#unsigned(stored));
				}
			}
			({ checkpoint } = page);
			more = page.documents.length === PAGE;
			await new Promise<void>((resolve) => setImmediate(resolve));
		}
	}

	async checkpoint(peer: string, kind: DocumentKind): Promise<ReplicaCheckpoint | undefined> {
		const stored = this.#parts.engine.durable(kind).peek(checkpointKey(peer));
		return stored === undefined ? undefined : checkpointOf(stored);
	}

	lag(kind: DocumentKind, seq: number): Lag {
		const durable = this.#parts.engine.durable(kind);
		const ids = durable.after(seq).filter((id) => !isCheckpoint(id));
		const oldest = ids[0] === undefined ? undefined : durable.peek(ids[0]);
		return { documents: ids.length, oldestAt: oldest?._meta.lwt ?? null };
	}

	subscribe(listener: (kind: DocumentKind) => void): () => void {
		this.#listeners.add(listener);
		return () => {
			this.#listeners.delete(listener);
		};
	}

	async purge(kind: DocumentKind, acknowledged: number, writtenBefore: number): Promise<number> {
		const { engine, self } = this.#parts;
		return engine
			.durable(kind)
			.purge(
				(stored, seq) =>
					stored._deleted &&
					seq <= acknowledged &&
					stored._meta.lwt <= writtenBefore &&
					isTombstone(replicaForm(stored, self)),
			);
	}
}
