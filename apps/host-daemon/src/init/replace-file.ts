import { open, rename, stat } from "node:fs/promises";

/** Replaces a file by one rename, with the mode it had. */
export const replaceFile = async (path: string, text: string): Promise<void> => {
	const { mode } = await stat(path);
	const temporary = `${path}.new`;
	const file = await open(temporary, "w", mode & 0o777);
	try {
		await file.writeFile(text);
		await file.sync();
	} finally {
		await file.close();
	}
	await rename(temporary, path);
};
