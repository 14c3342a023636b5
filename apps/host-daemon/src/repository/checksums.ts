// `SHA256SUMS`, as `sha256sum -c` reads it.
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { repositoryError } from "./errno.ts";

/** A file of a backup with its digest; `file` is relative to the backup's directory. */
export type Checksum = { readonly file: string; readonly sha256: string };

const LINE = /^([0-9a-f]{64}) [ *](.+)$/;

/** SHA-256 in hex of a text or of bytes. */
export const sha256 = (data: string | Uint8Array): string =>
	createHash("sha256").update(data).digest("hex");

/** SHA-256 in hex of a whole file. Rejects with REPOSITORY_*. */
export const hashFile = async (path: string): Promise<string> => {
	const hash = createHash("sha256");
	try {
		for await (const chunk of createReadStream(path)) hash.update(chunk);
	} catch (thrown) {
		throw repositoryError(thrown, `read ${path}`, "read");
	}
	return hash.digest("hex");
};

/** The text of `SHA256SUMS`, in the order given. */
export const formatChecksums = (sums: readonly Checksum[]): string =>
	sums.map(({ file, sha256: digest }) => `${digest}  ${file}\n`).join("");

/** The digests in a text of that form, by file; undefined when a line is of another form. */
export const parseChecksums = (text: string): ReadonlyMap<string, string> | undefined => {
	const sums = new Map<string, string>();
	for (const line of text.split("\n")) {
		if (line === "") continue;
		const [, digest, file] = LINE.exec(line) ?? [];
		if (digest === undefined || file === undefined) return undefined;
		sums.set(file, digest);
	}
	return sums;
};
