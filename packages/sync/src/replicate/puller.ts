// Reads a peer's log from where this host left off: at most one question a kind is open, however often the peer says `dirty`.
import { type DocumentKind, type Judge, judgeDocument, type ReplicaDocument } from "@knib/core";
import type { FrameOf, ReplicaCheckpoint } from "../wire/frames.ts";
import type { PeerCounter } from "../wire/peer-counts.ts";
import type { Replica } from "./replica.ts";

type Deps = {
	readonly peer: string;
	readonly replica: Replica;
	readonly counter: PeerCounter;
	/** What this host knows now. */
	readonly judge: () => Judge;
	/** `isAhead`: what stands before the checkpoint has come and is not merged yet. */
	readonly ask: (
		kind: DocumentKind,
		checkpoint: ReplicaCheckpoint | undefined,
		isAhead: boolean,
	) => Promise<FrameOf<"docs">>;
	/** Called with what was merged. */
	readonly onMerged: (documents: readonly ReplicaDocument[]) => void;
	/** Called when this host has all that there was. */
	readonly onRead: (kind: DocumentKind, checkpoint: ReplicaCheckpoint) => void;
	/** Called when a pull failed; the link is of no use any more. */
	readonly onFailed: (error: unknown) => void;
};

type Wish = { readonly digest?: string; readonly fromStart?: boolean };

const isProgress = (before: ReplicaCheckpoint | undefined, after: ReplicaCheckpoint): boolean =>
	before === undefined || before.epoch !== after.epoch || before.seq < after.seq;

const assertAnswers = (
	kind: DocumentKind,
	before: ReplicaCheckpoint | undefined,
	answer: FrameOf<"docs">,
): void => {
	if (answer.kind !== kind) throw new Error("the peer answered another question");
	if (answer.more && !isProgress(before, answer.checkpoint)) {
		throw new Error("the peer's answers lead nowhere");
	}
};

export class Puller {
	readonly #deps: Deps;
	/** What was asked for while a pull of the kind is under way. */
	readonly #running = new Map<DocumentKind, Wish | undefined>();
	/** Kinds of which documents were dropped since nobody here knew their writer. */
	readonly #unknownWriters = new Set<DocumentKind>();
	#stopped = false;

	constructor(deps: Deps) {
		this.#deps = deps;
	}

	/** Pulls what is new of a kind, at once or after the pull under way; resolves when there is nothing more to pull. When the replica then has not the digest that the peer claims, everything is pulled. */
	async want(kind: DocumentKind, wish: Wish = {}): Promise<void> {
		if (this.#stopped) return;
		if (this.#running.has(kind)) {
			this.#running.set(kind, { ...this.#running.get(kind), ...wish });
			return;
		}
		this.#running.set(kind, undefined);
		await this.#run(kind, wish).catch((error: unknown) => {
			if (!this.#stopped) this.#deps.onFailed(error);
		});
	}

	/** Pulls again whatever held documents of hosts that were not known then. */
	async recheck(): Promise<void> {
		const kinds = [...this.#unknownWriters];
		this.#unknownWriters.clear();
		await Promise.all(kinds.map((kind) => this.want(kind, { fromStart: true })));
	}

	/** Begins nothing new. */
	stop(): void {
		this.#stopped = true;
	}

	async #run(kind: DocumentKind, first: Wish): Promise<void> {
		let wish: Wish | undefined = first;
		while (wish !== undefined && !this.#stopped) {
			this.#running.set(kind, undefined);
			const { fromStart, digest }: Wish = wish;
			const { replica, peer } = this.#deps;
			const from = fromStart ? undefined : await replica.checkpoint(peer, kind);
			await this.#pull(kind, from);
			await this.#mend(kind, digest);
			wish = this.#running.get(kind);
		}
		this.#running.delete(kind);
	}

	async #mend(kind: DocumentKind, digest: string | undefined): Promise<void> {
		if (digest === undefined || digest === (await this.#deps.replica.digest(kind))) return;
		await this.#pull(kind, undefined);
	}

	async #pull(kind: DocumentKind, from: ReplicaCheckpoint | undefined): Promise<void> {
		const { ask, replica, peer } = this.#deps;
		if (this.#stopped) return;
		let checkpoint = from;
		let next: Promise<FrameOf<"docs">> | undefined = ask(kind, checkpoint, false);
		while (next !== undefined && !this.#stopped) {
			const answer: FrameOf<"docs"> = await next;
			assertAnswers(kind, checkpoint, answer);
			// The peer prepares the next page while this one is judged and written.
			next = answer.more ? ask(kind, answer.checkpoint, true) : undefined;
			next?.catch(() => undefined);
			const read = { peer, kind, checkpoint: answer.checkpoint };
			const accepted = this.#accepted(kind, answer.documents);
			this.#deps.onMerged(accepted);
			const isNews = checkpoint?.seq !== answer.checkpoint.seq || accepted.length > 0;
			if (isNews) await replica.merge(accepted, read);
			checkpoint = answer.checkpoint;
			if (next === undefined && isNews) this.#deps.onRead(kind, checkpoint);
		}
	}

	#accepted(kind: DocumentKind, documents: readonly unknown[]): readonly ReplicaDocument[] {
		const { counter } = this.#deps;
		const isHeld: Judge["isHeld"] = (document) => this.#deps.replica.holds(document);
		const judge = { ...this.#deps.judge(), isHeld };
		const accepted = documents.flatMap((raw) => {
			const judgement = judgeDocument(raw, judge);
			if (judgement.accepted && judgement.document.kind === kind) {
				if (judgement.isPart) this.#unknownWriters.add(kind);
				return [judgement.document];
			}
			const reason = judgement.accepted ? "schema" : judgement.reason;
			counter.drop(reason);
			if (reason === "writer") this.#unknownWriters.add(kind);
			return [];
		});
		counter.accept(accepted.length);
		return accepted;
	}
}
