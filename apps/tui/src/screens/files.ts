// The files of a backup, in two panes: a directory's on the left, what is known of the selected one on the right.
import type { FileEntry, FilesView, FileType } from "@knib/core";
import { instant, short, size } from "@knib/core/text";
import { quoted } from "../app/acts.ts";
import { type FilesPlace, filesId, filesPlace, filesRoute } from "../app/files-place.ts";
import { placeIn, type State } from "../app/state.ts";
import { type Line, span } from "../view/frame.ts";
import { wrap } from "../widgets/wrap.ts";
import { type Body, type Canvas, type Column, fact, type Row, type Screen } from "./screen.ts";

const SIGNS: Readonly<Record<FileType, string>> = {
	...{ directory: "/", file: " ", symlink: ">", block: "b", character: "c", fifo: "p" },
	...{ socket: "s", unknown: "?" },
};

const COLUMNS: readonly Column[] = [
	{ head: "", width: 1 },
	{ head: "NAME", width: 0 },
	{ head: "SIZE", width: 10, right: true },
	{ head: "CHANGED", width: 16 },
];

const changed = (entry: FileEntry): string =>
	entry.modifiedAt === null ? "-" : instant(entry.modifiedAt).replace("T", " ").slice(0, 16);

const entryRow = (at: FilesPlace, view: FilesView, entry: FileEntry): Row => ({
	id: entry.path,
	target: {
		kind: "file",
		id: filesId({ ...at, partition: view.partition, paths: [entry.path] }),
	},
	open:
		entry.type === "directory"
			? filesRoute({ ...at, partition: view.partition, path: entry.path })
			: null,
	cells: [
		span(SIGNS[entry.type], "accent"),
		span(entry.name, entry.type === "directory" ? "bold" : "plain"),
		{ ...span(entry.type === "file" ? size(entry.size) : "-"), key: entry.size },
		span(changed(entry), "dim"),
	],
});

const systemRow = (at: FilesPlace, one: FilesView["fileSystems"][number]): Row => ({
	id: one.partition,
	target: null,
	open: one.readable ? filesRoute({ ...at, partition: one.partition }) : null,
	cells: [
		span(one.readable ? "/" : "x", "accent"),
		span(`${one.partition}  ${one.type} ${one.label ?? ""}`, one.readable ? "bold" : "dim"),
		span(size(one.size)),
		span(one.readable ? "" : "cannot be read", "dim"),
	],
});

const diskRows = (state: State, at: FilesPlace): readonly Row[] =>
	(state.details[at.backup]?.disks ?? []).map((disk) => ({
		id: disk.target,
		target: null,
		open: filesRoute({ ...at, disk: disk.target }),
		cells: [span("/", "accent"), span(disk.target, "bold"), span(size(disk.virtualSize)), span("")],
	}));

const line = (name: string, value: string): Line => fact(name, value);

const details =
	(at: FilesPlace, view: FilesView, entry: FileEntry | undefined): Canvas =>
	({ width }) => {
		if (entry === undefined) return { lines: [], picture: null };
		const partition = view.partition === null ? "" : ` --partition ${quoted(view.partition)}`;
		const cli = `knib files list ${short(at.backup)} --disk ${at.disk}${partition} ${quoted(entry.path)}`;
		const long = (text: string): readonly Line[] =>
			wrap(text, Math.max(1, width - 2)).map((part): Line => [span(` ${part}`, "accent")]);
		return {
			lines: [
				...wrap(entry.path, Math.max(1, width - 2)).map((part): Line => [span(` ${part}`, "bold")]),
				line("type", entry.type),
				line("size", `${entry.size} bytes`),
				line("changed", entry.modifiedAt ?? "-"),
				line("mode", `${entry.mode}, owner ${entry.uid}, group ${entry.gid}`),
				...(entry.target === null ? [] : [line("points to", entry.target)]),
				[],
				...long(`$ ${cli}`),
			],
			picture: null,
		};
	};

const listed = (state: State, at: FilesPlace, view: FilesView): Body => {
	const { selected } = placeIn(state);
	const entry = view.files.find((one) => one.path === selected) ?? view.files[0];
	const shape = { columns: COLUMNS, sortable: true, empty: "the directory is empty" };
	const where = `${view.disk} ${view.partition ?? ""} ${view.path}`;
	const head = [
		fact("files of", `${view.vm.name} ${short(at.backup)}, ${instant(view.pointInTime)}`),
		fact("in", view.truncated ? `${where} (${view.files.length} of ${view.total})` : where),
	];
	if (view.partition === null)
		return { ...shape, head, rows: view.fileSystems.map((one) => systemRow(at, one)) };
	const rows = view.files.map((one) => entryRow(at, view, one));
	return { ...shape, head, rows, aside: details(at, view, entry) };
};

/** The files of a backup: its disks, their file systems, and what lies in them. */
export const files: Screen = {
	title: (_, route) => {
		const at = filesPlace(route.id);
		return at.path?.split("/").at(-1) || at.partition || at.disk || "Files";
	},
	target: ({ id }) => ({ kind: "backup", id: filesPlace(id).backup }),
	body: (state, route) => {
		const at = filesPlace(route.id);
		const shape = { columns: COLUMNS, sortable: false };
		if (at.disk === "") {
			const head = [fact("files of", short(at.backup))];
			return { ...shape, head, rows: diskRows(state, at), empty: "it has no disks" };
		}
		const view = state.files[route.id ?? ""];
		if (typeof view === "object") return listed(state, at, view);
		const words = view ?? "reading: an appliance is started for it, which takes some seconds…";
		const tone = view === undefined ? "dim" : "bad";
		const head = wrap(words, Math.max(10, state.size.width - 2)).map(
			(part): Line => [span(` ${part}`, tone)],
		);
		return { ...shape, head, rows: [], empty: "" };
	},
};
