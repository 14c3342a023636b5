import { KnibError } from "@knib/core";
import type { RepositoryFiles } from "./files.ts";

/** Names of directories and files that a validation keeps. */
const NAME = /^[A-Za-z0-9][A-Za-z0-9.:_-]{0,63}$/;

const checked = (name: string): string => {
	if (NAME.test(name)) return name;
	throw new KnibError("INTERNAL", `${JSON.stringify(name)} is no name for a validation's file`);
};

/** Directory of one validation of the backup in `directory`. */
export const validationDirectory = (directory: string, name: string): string =>
	`${directory}/validation/${checked(name)}`;

/** Writes the files of one validation beside a published backup, each in one act. */
export const keepValidationFiles = async (
	files: RepositoryFiles,
	directory: string,
	name: string,
	kept: readonly { readonly name: string; readonly contents: string | Uint8Array }[],
): Promise<void> => {
	const target = validationDirectory(directory, name);
	await files.makeDirectory(`${directory}/validation`);
	await files.makeDirectory(target);
	for (const file of kept) {
		const path = `${target}/${checked(file.name)}`;
		if (typeof file.contents === "string") await files.writeText(path, file.contents);
		else await files.writeLarge(path, file.contents);
	}
};
