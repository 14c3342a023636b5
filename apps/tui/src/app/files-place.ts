// Where in a backup's files one is, as the id of a route, and the files that are chosen there, as the id of a target.
import type { Route } from "./state.ts";

/** A directory; an empty disk stands for the choice of one, null for what the daemon finds by itself. */
export type FilesPlace = {
	readonly backup: string;
	readonly disk: string;
	readonly partition: string | null;
	readonly path: string | null;
};

/** The route of a place. */
export const filesRoute = ({ backup, disk, partition, path }: FilesPlace): Route => ({
	screen: "files",
	id: [backup, disk, partition ?? "", path ?? ""].join("\n"),
});

/** The place of a route's id. Paths are shown names and hold no line breaks. */
export const filesPlace = (id: string | null): FilesPlace => {
	const [backup = "", disk = "", partition = "", path = ""] = (id ?? "").split("\n");
	return {
		...{ backup, disk },
		partition: partition === "" ? null : partition,
		path: path === "" ? null : path,
	};
};

/** Files of one file system of a backup, as the id of a target. */
export type ChosenFiles = Omit<FilesPlace, "path"> & { readonly paths: readonly string[] };

/** The id of chosen files. */
export const filesId = ({ backup, disk, partition, paths }: ChosenFiles): string =>
	[backup, disk, partition ?? "", ...paths].join("\n");

/** The chosen files of an id. */
export const chosenFiles = (id: string): ChosenFiles => {
	const [backup = "", disk = "", partition = "", ...paths] = id.split("\n");
	return { backup, disk, partition: partition === "" ? null : partition, paths };
};

/** Those of several ids of one file system, as one. */
export const joinFiles = (ids: readonly string[]): string => {
	const all = ids.map(chosenFiles);
	const [first] = all;
	return first === undefined ? "" : filesId({ ...first, paths: all.flatMap((one) => one.paths) });
};
