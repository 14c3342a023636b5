/** Runs `work` over all items, at most `limit` at a time. The first failure stops new items, waits for those under way, and is thrown. */
export const inParallel = async <T>(
	items: readonly T[],
	limit: number,
	work: (item: T) => Promise<void>,
): Promise<void> => {
	const queue = [...items];
	const failures: unknown[] = [];
	const worker = async (): Promise<void> => {
		for (let item = queue.shift(); item !== undefined; item = queue.shift()) {
			try {
				await work(item);
			} catch (error) {
				failures.push(error);
				queue.length = 0;
			}
		}
	};
	await Promise.all(Array.from({ length: Math.max(1, Math.min(limit, items.length)) }, worker));
	if (failures.length > 0) throw failures[0];
};
