const noop = (): void => undefined;

/** Lets acts on the same key follow one another in the order of their calls, while others go side by side. */
export class Turns {
	readonly #last = new Map<string, Promise<void>>();

	/** Runs the act once all earlier ones on any of its keys have ended, well or not. */
	async take<T>(keys: readonly string[], act: () => Promise<T>): Promise<T> {
		const before = keys.flatMap((key) => this.#last.get(key) ?? []);
		const turn = Promise.all(before).then(act);
		const ended = turn.then(noop, noop);
		for (const key of keys) this.#last.set(key, ended);
		try {
			return await turn;
		} finally {
			for (const key of keys) if (this.#last.get(key) === ended) this.#last.delete(key);
		}
	}

	/** Resolves once all acts that were begun have ended. */
	async settled(): Promise<void> {
		await Promise.all(this.#last.values());
	}
}
