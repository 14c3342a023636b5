import { constants } from "node:fs";
import { open } from "node:fs/promises";
import { KnibError, type PublishedBackup } from "@knib/core";
import { LARGE_FILE_LIMIT } from "./file-writes.ts";
import { validationDirectory } from "./keep-validation.ts";

/** A kept screen. */
export type Screenshot = { readonly at: string; readonly png: Uint8Array };

/** The screen that a backup showed in its last validation. Links are not followed. Rejects with NOT_FOUND when none was kept, REPOSITORY_UNREACHABLE when it cannot be read. */
export const readScreenshot = async (backup: PublishedBackup): Promise<Screenshot> => {
	const { id } = backup.manifest.identity;
	const { last } = backup.marks.validation;
	if (last === undefined || !last.screenshot) {
		throw new KnibError("NOT_FOUND", `no screenshot was kept of backup ${id}`, {
			details: { hint: "take one: `knib backup validate ID --steps screenshot`" },
		});
	}
	const path = `${validationDirectory(backup.path, last.name)}/screenshot.png`;
	const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
	try {
		const handle = await open(path, flags);
		try {
			const facts = await handle.stat();
			if (!facts.isFile() || facts.size > LARGE_FILE_LIMIT) throw new Error("it is no screenshot");
			return { at: last.at, png: await handle.readFile() };
		} finally {
			await handle.close();
		}
	} catch (cause) {
		const why = cause instanceof Error ? cause.message : String(cause);
		throw new KnibError("REPOSITORY_UNREACHABLE", `${path} cannot be read: ${why}`, { cause });
	}
};
