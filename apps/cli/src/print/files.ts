// Files of backups for people. Names come in a form without control characters; the table escapes once more all the same.
import type { FileEntry, FilesLogView, FilesView, FileType } from "@knib/core";
import { table } from "./table.ts";
import { counted, instant, safe, short, size } from "./text.ts";

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

/** One file over the backups, oldest first. */
export const filesLogText = (view: FilesLogView): string =>
	table(view.backups, [
		{ head: "BACKUP", cell: (point) => short(point.backup) },
		{ head: "POINT IN TIME", cell: (point) => instant(point.pointInTime) },
		{ head: "FILE", cell: (point) => point.change },
		{ head: "SIZE", cell: (point) => point.file?.size ?? null },
		{ head: "MODIFIED", cell: (point) => instant(point.file?.modifiedAt ?? null) },
		{ head: "SHA-256", cell: (point) => point.sha256?.slice(0, 16) ?? point.target },
	]);

const number = (value: unknown): number => (typeof value === "number" ? value : 0);

/** What an extraction brought, in one line. */
export const extractResult = (result: Readonly<Record<string, unknown>>): string => {
	const { files, directories, links, bytes, directory } = result;
	const parts = [
		`${counted(number(files), "file")} (${size(number(bytes))})`,
		...(number(directories) > 0
			? [number(directories) === 1 ? "1 directory" : `${number(directories)} directories`]
			: []),
		...(number(links) > 0 ? [counted(number(links), "link")] : []),
	];
	return safe(`${parts.join(", ")} extracted to ${String(directory)}`);
};
