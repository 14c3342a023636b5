import { open, rename } from "node:fs/promises";

/** Replaces a small JSON file of the state directory by one rename; durable when this resolves. */
export const writeStateFile = async (path: string, content: unknown): Promise<void> => {
	const file = await open(`${path}.new`, "w", 0o600);
	try {
		await file.writeFile(JSON.stringify(content));
		await file.sync();
	} finally {
		await file.close();
	}
	await rename(`${path}.new`, path);
};
