// What passes between two hosts and is not kept: questions with one answer, and streams such as the progress of a job.
import { asKnibError, isErrorCode, KnibError, viewError } from "@knib/core";
import type { Frame, FrameOf } from "./frames.ts";

/** What a host answers to its peers. Rejections are told to the peer as they are. */
export type LiveHandler = {
	/** The answer to a question; plain JSON. */
	readonly call: (peer: string, method: string, params: unknown) => Promise<unknown>;
	/** Items until the signal; plain JSON. */
	readonly stream: (
		peer: string,
		topic: string,
		params: unknown,
		signal: AbortSignal,
	) => AsyncIterable<unknown>;
};

type LiveFrame = FrameOf<"call" | "reply" | "open" | "item" | "end" | "stop">;
type Deps = {
	readonly peer: string;
	readonly send: (frame: Frame) => void;
	/** Bytes that wait to be sent. */
	readonly waiting: () => number;
	readonly handler: LiveHandler | undefined;
	readonly timeoutMs: number;
};
type Listener = { readonly item: (value: unknown) => void; readonly end: (error?: Error) => void };
type Pending = {
	readonly resolve: (value: unknown) => void;
	readonly reject: (error: Error) => void;
	readonly timer: NodeJS.Timeout;
};

/** Streams that a peer may have open at a time. */
const MOST_STREAMS = 64;
/** Items are left out while more than this waits: the next one says more anyway. */
const MOST_WAITING = 1024 * 1024;

const revived = (error: FrameOf<"end">["error"]): KnibError => {
	const { code = "", message = "", hint } = error ?? {};
	return new KnibError(isErrorCode(code) ? code : "INTERNAL", message, {
		details: { ...error?.details, ...(hint === undefined ? {} : { hint }) },
	});
};

/** The live part of one link. */
export class Live {
	readonly #deps: Deps;
	readonly #pending = new Map<number, Pending>();
	readonly #listeners = new Map<number, Listener>();
	readonly #serving = new Map<number, AbortController>();
	#lastId = 0;
	#closed: KnibError | undefined;

	constructor(deps: Deps) {
		this.#deps = deps;
	}

	/** Asks the peer. Rejects with its error, or PEER_UNREACHABLE when the answer does not come. */
	async call(method: string, params: unknown): Promise<unknown> {
		if (this.#closed !== undefined) throw this.#closed;
		this.#lastId += 1;
		const id = this.#lastId;
		return new Promise((resolve, reject) => {
			const timer = setTimeout(() => {
				this.#pending.delete(id);
				reject(new KnibError("PEER_UNREACHABLE", "the peer did not answer in time"));
			}, this.#deps.timeoutMs);
			this.#pending.set(id, { resolve, reject, timer });
			this.#deps.send({ type: "call", id, method, params });
		});
	}

	/** Listens to a stream of the peer; returns what ends that. */
	open(topic: string, params: unknown, listener: Listener): () => void {
		if (this.#closed !== undefined) {
			listener.end(this.#closed);
			return () => undefined;
		}
		this.#lastId += 1;
		const id = this.#lastId;
		this.#listeners.set(id, listener);
		this.#deps.send({ type: "open", id, topic, params });
		return () => {
			if (this.#listeners.delete(id)) this.#deps.send({ type: "stop", id });
		};
	}

	/** A frame of the peer; false for an answer that nobody waits for. */
	receive(frame: LiveFrame): boolean {
		switch (frame.type) {
			case "call":
				void this.#answer(frame);
				return true;
			case "open":
				void this.#serve(frame);
				return true;
			case "stop":
				this.#serving.get(frame.id)?.abort();
				return true;
			case "reply":
				return this.#reply(frame);
			case "item": {
				const listener = this.#listeners.get(frame.id);
				listener?.item(frame.value);
				return listener !== undefined;
			}
			case "end": {
				const listener = this.#listeners.get(frame.id);
				this.#listeners.delete(frame.id);
				listener?.end(frame.error === undefined ? undefined : revived(frame.error));
				return listener !== undefined;
			}
		}
	}

	/** Ends all of it. */
	close(reason: string): void {
		const error = new KnibError("PEER_UNREACHABLE", `the link to the peer ended: ${reason}`);
		this.#closed ??= error;
		for (const { reject, timer } of this.#pending.values()) {
			clearTimeout(timer);
			reject(error);
		}
		this.#pending.clear();
		for (const { end } of [...this.#listeners.values()]) end(error);
		this.#listeners.clear();
		for (const serving of this.#serving.values()) serving.abort();
	}

	#reply(frame: FrameOf<"reply">): boolean {
		const pending = this.#pending.get(frame.id);
		if (pending === undefined) return false;
		this.#pending.delete(frame.id);
		clearTimeout(pending.timer);
		if (frame.error === undefined) pending.resolve(frame.value);
		else pending.reject(revived(frame.error));
		return true;
	}

	async #answer({ id, method, params }: FrameOf<"call">): Promise<void> {
		const { handler, peer, send } = this.#deps;
		try {
			if (handler === undefined) throw new KnibError("REFUSED", "this host answers no questions");
			send({ type: "reply", id, value: (await handler.call(peer, method, params)) ?? null });
		} catch (thrown) {
			send({ type: "reply", id, value: null, error: viewError(asKnibError(thrown)) });
		}
	}

	async #serve({ id, topic, params }: FrameOf<"open">): Promise<void> {
		const { handler, peer, send, waiting } = this.#deps;
		const stop = new AbortController();
		try {
			if (handler === undefined || this.#serving.size >= MOST_STREAMS || this.#serving.has(id)) {
				throw new KnibError("REFUSED", "this host opens no more streams");
			}
			this.#serving.set(id, stop);
			for await (const value of handler.stream(peer, topic, params, stop.signal)) {
				if (stop.signal.aborted) break;
				if (waiting() < MOST_WAITING) send({ type: "item", id, value: value ?? null });
			}
			send({ type: "end", id });
		} catch (thrown) {
			send({ type: "end", id, error: viewError(asKnibError(thrown)) });
		} finally {
			if (this.#serving.get(id) === stop) this.#serving.delete(id);
		}
	}
}
