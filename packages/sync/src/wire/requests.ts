import type { FrameOf } from "./frames.ts";

type Pending = {
	readonly resolve: (answer: FrameOf<"docs">) => void;
	readonly reject: (reason: Error) => void;
	readonly timer: NodeJS.Timeout;
};

/** Questions that wait for their answers, each with a deadline. */
export class Requests {
	readonly #pending = new Map<number, Pending>();
	readonly #timeoutMs: number;
	#lastId = 0;
	#closed: Error | undefined;

	constructor(timeoutMs: number) {
		this.#timeoutMs = timeoutMs;
	}

	/** Asks by `send` and waits for the answer of that number. Rejects when it does not come in time or the link closes. */
	async ask(send: (id: number) => void): Promise<FrameOf<"docs">> {
		if (this.#closed !== undefined) throw this.#closed;
		this.#lastId += 1;
		const id = this.#lastId;
		return new Promise((resolve, reject) => {
			const timer = setTimeout(() => {
				this.#pending.delete(id);
				reject(new Error(`no answer within ${this.#timeoutMs} ms`));
			}, this.#timeoutMs);
			this.#pending.set(id, { resolve, reject, timer });
			send(id);
		});
	}

	/** Hands an answer to who waits for it; false when nobody does. */
	answer(frame: FrameOf<"docs">): boolean {
		const pending = this.#pending.get(frame.id);
		if (pending === undefined) return false;
		this.#pending.delete(frame.id);
		clearTimeout(pending.timer);
		pending.resolve(frame);
		return true;
	}

	/** Rejects all that wait, and all later ones. */
	close(reason: string): void {
		this.#closed ??= new Error(reason);
		for (const { reject, timer } of this.#pending.values()) {
			clearTimeout(timer);
			reject(this.#closed);
		}
		this.#pending.clear();
	}
}
