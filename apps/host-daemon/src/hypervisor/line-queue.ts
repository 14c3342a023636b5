// Lines of a byte stream as an async iterable that a reader may leave at any time.

export type LineQueue = {
	push(chunk: Uint8Array): void;
	/** No more will come; an unfinished last line is given out. */
	end(): void;
	/** For one reader. */
	readonly lines: AsyncIterable<string>;
};

/** An empty queue. */
export const createLineQueue = (): LineQueue => {
	const decoder = new TextDecoder();
	const waiting: string[] = [];
	let rest = "";
	let ended = false;
	let wake = (): void => undefined;
	async function* read(): AsyncGenerator<string> {
		for (;;) {
			const line = waiting.shift();
			if (line !== undefined) yield line;
			else if (ended) return;
			else
				await new Promise<void>((resolve) => {
					wake = resolve;
				});
		}
	}
	return {
		push: (chunk) => {
			const parts = (rest + decoder.decode(chunk, { stream: true })).split("\n");
			rest = parts.pop() ?? "";
			waiting.push(...parts);
			wake();
		},
		end: () => {
			if (rest !== "") waiting.push(rest);
			rest = "";
			ended = true;
			wake();
		},
		lines: { [Symbol.asyncIterator]: read },
	};
};
