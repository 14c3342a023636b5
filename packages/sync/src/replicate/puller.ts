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
	readonly ask: (
		kind: DocumentKind,
		checkpoint: ReplicaCheckpoint | undefined,
	) => Promise<FrameOf<"docs">>;
	/** Called when a pull failed; the link is of no use any more. */
	readonly onFailed: (error: unknown) => void;
};

type Wish = { digest: string | undefined };

const isProgress = (before: ReplicaCheckpoint | undefined, after: ReplicaCheckpoint): boolean =>
	before === undefined || before.epoch !== after.epoch || before.seq < after.seq;

export class Puller {
	readonly #deps: Deps;
	/** What was asked for while a pull of the kind is under way. */
	readonly #running = new Map<DocumentKind, Wish | undefined>();
	#stopped = false;

	constructor(deps: Deps) {
		this.#deps = deps;
	}

	/** Pulls what is new of a kind, at once or after the pull under way. When the replica then has not the digest that the peer claims, everything is pulled. */
	want(kind: DocumentKind, digest?: string): void {
		if (this.#stopped) return;
		if (this.#running.has(kind)) {
			this.#running.set(kind, { digest });
			return;
		}
		this.#running.set(kind, undefined);
		this.#run(kind, digest).catch((error: unknown) => {
			if (!this.#stopped) this.#deps.onFailed(error);
		});
	}

	/** Begins nothing new. */
	stop(): void {
		this.#stopped = true;
	}

	async #run(kind: DocumentKind, digest: string | undefined): Promise<void> {
		let wish: Wish | undefined = { digest };
		while (wish !== undefined && !this.#stopped) {
			this.#running.set(kind, undefined);
			await this.#pull(kind, await this.#deps.replica.checkpoint(this.#deps.peer, kind));
			await this.#mend(kind, wish.digest);
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
		let checkpoint = from;
		let more = true;
		while (more && !this.#stopped) {
			const answer = await ask(kind, checkpoint);
			if (answer.kind !== kind) throw new Error("the peer answered another question");
			if (answer.more && !isProgress(checkpoint, answer.checkpoint)) {
				throw new Error("the peer's answers lead nowhere");
			}
			await replica.merge(this.#accepted(kind, answer.documents));
			await replica.keepCheckpoint(peer, kind, answer.checkpoint);
			checkpoint = answer.checkpoint;
			more = answer.more;
		}
	}

	#accepted(kind: DocumentKind, documents: readonly unknown[]): readonly ReplicaDocument[] {
		const { counter } = this.#deps;
		const judge = this.#deps.judge();
		const accepted = documents.flatMap((raw) => {
			const judgement = judgeDocument(raw, judge);
			if (judgement.accepted && judgement.document.kind === kind) return [judgement.document];
			counter.drop(judgement.accepted ? "schema" : judgement.reason);
			return [];
		});
		counter.accept(accepted.length);
		return accepted;
	}
}
