// One link at work: says hello, answers questions, pulls what the peer has. Whatever comes, nothing is thrown at the caller.
import type { DocumentKind, Judge, ReplicaDocument } from "@knib/core";
import type { Link } from "../link/link.ts";
import {
	type Frame,
	type FrameOf,
	type Hello,
	MOST_DOCUMENTS,
	parseFrame,
	type ReplicaCheckpoint,
} from "../wire/frames.ts";
import { helloProblem, makeHello, understoodKinds } from "../wire/hello.ts";
import { Live, type LiveHandler } from "../wire/live.ts";
import type { PeerCounter } from "../wire/peer-counts.ts";
import { Requests } from "../wire/requests.ts";
import { answerSince } from "./answer.ts";
import { Puller } from "./puller.ts";
import { Received } from "./received.ts";
import type { Replica } from "./replica.ts";

/** What a session works with. */
export type SessionDeps = {
	/** This host's id. */
	readonly self: string;
	readonly link: Link;
	readonly replica: Replica;
	readonly counter: PeerCounter;
	readonly judge: () => Judge;
	readonly timeoutMs: number;
	/** How far the peer has read this host's log, as it says. */
	readonly onAcknowledged: (kind: DocumentKind, seq: number) => void;
	/** The peer's clock minus this host's, ms. */
	readonly onHello: (skewMs: number) => void;
	readonly onClosed: (reason: string) => void;
	readonly handler?: LiveHandler | undefined;
};

/** Who is a member stands in this kind: it is pulled before what the members wrote. */
const FIRST: DocumentKind = "setting";

/** A peer that reads so slowly is cut off. */
const MOST_WAITING = 32 * 1024 * 1024;

const words = (error: unknown): string => (error instanceof Error ? error.message : String(error));

export class Session {
	readonly #deps: SessionDeps;
	readonly #requests: Requests;
	readonly #puller: Puller;
	readonly live: Live;
	readonly #received = new Received();
	readonly #answering = new Set<DocumentKind>();
	/** Kinds of which the peer was told and has not asked since. */
	readonly #told = new Set<DocumentKind>();
	#kinds: ReadonlySet<DocumentKind> | undefined;

	constructor(deps: SessionDeps) {
		this.#deps = deps;
		this.#requests = new Requests(deps.timeoutMs);
		const { link, replica, counter, judge } = deps;
		this.live = new Live({
			peer: link.peer,
			send: (frame) => {
				this.#send(frame);
			},
			waiting: () => link.waiting(),
			handler: deps.handler,
			timeoutMs: deps.timeoutMs,
		});
		this.#puller = new Puller({
			peer: link.peer,
			replica,
			counter,
			judge,
			ask: (kind, checkpoint, isAhead) =>
				this.#requests.ask((id) => {
					const ahead = isAhead ? { ahead: true as const } : {};
					const from = checkpoint === undefined ? {} : { checkpoint, ...ahead };
					this.#send({ type: "since", id, kind, ...from, limit: MOST_DOCUMENTS });
				}),
			onMerged: (documents) => {
				this.#received.note(documents);
			},
			onRead: (kind, checkpoint) => {
				this.#send({ type: "ack", kind, checkpoint });
			},
			onFailed: (error) => {
				link.close(words(error));
			},
		});
	}

	/** Pulls again what was dropped since its writer was not known. */
	recheck(): void {
		void this.#puller.recheck();
	}

	/** Says hello and listens. */
	start(): void {
		const { link, self, replica, judge } = this.#deps;
		link.listen({
			message: (text) => {
				this.#receive(text);
			},
			closed: (reason) => {
				this.#puller.stop();
				this.#requests.close(reason);
				this.live.close(reason);
				this.#deps.onClosed(reason);
			},
		});
		this.#send(makeHello(self, replica.epoch, judge().wallMs));
	}

	/** Tells the peer that there is something new, unless it was told and has not asked yet. */
	dirty(kind: DocumentKind): void {
		if (this.#kinds === undefined || this.#told.has(kind)) return;
		this.#told.add(kind);
		this.#send({ type: "dirty", kind });
	}

	/** Tells the peer what this host holds of a kind. */
	digest(kind: DocumentKind, digest: string): void {
		if (this.#kinds !== undefined) this.#send({ type: "digest", kind, digest });
	}

	#send(frame: Frame): void {
		this.#deps.link.send(JSON.stringify(frame));
		if (this.#deps.link.waiting() > MOST_WAITING) this.#deps.link.close("the peer does not read");
	}

	#receive(text: string): void {
		const frame = parseFrame(text);
		if (frame === undefined) this.#refuse("the peer sent what is no frame");
		else if (frame.type === "hello") this.#hello(frame);
		else if (this.#kinds === undefined) this.#refuse("the peer did not say hello");
		else this.#handle(frame);
	}

	#refuse(reason: string): void {
		this.#deps.counter.garbage();
		this.#deps.link.close(reason);
	}

	#hello(hello: Hello): void {
		const { link, judge, counter } = this.#deps;
		if (this.#kinds !== undefined) {
			counter.unexpected();
			return;
		}
		const problem = helloProblem(hello, link.peer, judge().wallMs);
		if (problem !== undefined) {
			link.close(problem);
			return;
		}
		const kinds = new Set(understoodKinds(hello));
		this.#kinds = kinds;
		this.#deps.onHello(hello.wallClock - judge().wallMs);
		void this.#pullAll(kinds);
	}

	async #pullAll(kinds: ReadonlySet<DocumentKind>): Promise<void> {
		if (kinds.has(FIRST)) await this.#puller.want(FIRST);
		for (const kind of kinds) void this.#puller.want(kind);
	}

	#handle(frame: Exclude<Frame, Hello>): void {
		switch (frame.type) {
			case "docs":
				if (!this.#requests.answer(frame)) this.#deps.counter.unexpected();
				break;
			case "since":
				this.#answer(frame);
				break;
			case "ack":
				this.#acknowledge(frame.kind, frame.checkpoint);
				break;
			case "dirty":
				if (this.#kinds?.has(frame.kind)) void this.#puller.want(frame.kind);
				break;
			case "digest":
				if (this.#kinds?.has(frame.kind)) this.#compare(frame);
				break;
			case "call":
			case "reply":
			case "open":
			case "item":
			case "end":
			case "stop":
				if (!this.live.receive(frame)) this.#deps.counter.unexpected();
		}
	}

	#acknowledge(kind: DocumentKind, checkpoint: ReplicaCheckpoint): void {
		const { replica, onAcknowledged } = this.#deps;
		if (checkpoint.epoch === replica.epoch) onAcknowledged(kind, checkpoint.seq);
	}

	#answer(question: FrameOf<"since">): void {
		const { kind, checkpoint, ahead } = question;
		if (this.#answering.has(kind)) {
			this.#deps.counter.unexpected();
			return;
		}
		this.#answering.add(kind);
		this.#told.delete(kind);
		const { replica, link } = this.#deps;
		if (checkpoint !== undefined && ahead !== true) this.#acknowledge(kind, checkpoint);
		// Who reads from the beginning may have lost even what it wrote itself.
		const isKnown = (document: ReplicaDocument): boolean =>
			checkpoint !== undefined &&
			((document.way === "owned" && document.owner === link.peer) || this.#received.has(document));
		answerSince(replica, question, isKnown)
			.then((text) => {
				link.send(text);
			})
			.catch((error: unknown) => {
				link.close(words(error));
			})
			.finally(() => {
				this.#answering.delete(kind);
			});
	}

	#compare({ kind, digest }: FrameOf<"digest">): void {
		const { replica, link } = this.#deps;
		replica.digest(kind).then(
			(mine) => {
				if (mine !== digest) void this.#puller.want(kind, { digest });
			},
			(error: unknown) => {
				link.close(words(error));
			},
		);
	}
}
