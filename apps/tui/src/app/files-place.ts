// Where in a backup's files one is, as the id of a route.
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
