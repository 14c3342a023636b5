// Files of backups for people. Names come in a form without control characters; the table escapes once more all the same.
import type { FileEntry, FilesView, FileType } from "@knib/core";
import { table } from "./table.ts";
import { instant, size } from "./text.ts";

const LETTERS: Readonly<Record<FileType, string>> = {
	file: "-",
	directory: "d",
	symlink: "l",
	block: "b",
	character: "c",
	fifo: "p",
	socket: "s",
	unknown: "?",
};

const nameOf = ({ name, type, target }: FileEntry): string => {
	if (type === "directory") return `${name}/`;
	return target === null ? name : `${name} -> ${target}`;
};

/** A directory's files one a line, or the file systems where none was chosen. */
export const filesText = (view: FilesView): string =>
	view.partition === null
		? table(view.fileSystems, [
				{ head: "PARTITION", cell: (one) => one.partition },
				{ head: "TYPE", cell: (one) => one.type },
				{ head: "SIZE", cell: (one) => size(one.size) },
				{ head: "LABEL", cell: (one) => one.label },
				{ head: "FILES", cell: (one) => (one.readable ? "readable" : "no") },
			])
		: table(view.files, [
				{ head: "MODE", cell: (file) => `${LETTERS[file.type]}${file.mode}` },
				{ head: "UID", cell: (file) => file.uid },
				{ head: "GID", cell: (file) => file.gid },
				{ head: "SIZE", cell: (file) => file.size },
				{ head: "MODIFIED", cell: (file) => instant(file.modifiedAt) },
				{ head: "NAME", cell: nameOf },
			]);
