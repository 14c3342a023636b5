// `files log`: one file over the restore points of a VM.
import {
	absolutePath,
	asKnibError,
	type BackupView,
	type FileChange,
	type FilesLogInput,
	type FilesLogView,
	guestPath,
	KnibError,
	shownName,
} from "@knib/core";
import { safe } from "@knib/core/text";
import type { DiskRoom } from "./disk-room.ts";
import { choosePartition } from "./list-files.ts";

type Room = Pick<DiskRoom, "use">;
type Point = FilesLogView["backups"][number];
type Skipped = FilesLogView["skipped"][number];
type Place = { readonly disk: string; readonly partition: string };

/** Answers about one backup that leave the others worth asking. */
const ITS_OWN = new Set([
	"REFUSED",
	"NOT_FOUND",
	"USAGE",
	"FILE_SYSTEM_UNREADABLE",
	"VERIFY_FAILED",
	"REPOSITORY_UNREACHABLE",
]);

/** The partition of a disk that holds the path; null when none does. */
const partitionIn = (
	room: Room,
	view: BackupView,
	wanted: Pick<FilesLogInput, "partition"> & { readonly disk: string },
	path: string,
): Promise<string | null> =>
	room.use(view, wanted.disk, async ({ disk }) => {
		const chosen = await choosePartition(disk, wanted, path);
		const there = chosen !== null && (await disk.stat(chosen, path)) !== undefined;
		return there ? chosen : null;
	});

/** The newest backup that holds the path says where it lies. Rejects with NOT_FOUND where backups could be looked into, else with why they could not. */
const findPlace = async (
	room: Room,
	newestFirst: readonly BackupView[],
	input: FilesLogInput,
	path: string,
): Promise<Place> => {
	const candidates = newestFirst.flatMap((view) =>
		view.disks
			.map(({ target }) => ({ view, disk: target }))
			.filter(({ disk }) => input.disk === undefined || input.disk === disk),
	);
	const missing = new KnibError("NOT_FOUND", `no backup of the VM holds ${shownName(path)}`);
	let why: KnibError | undefined;
	for (const { view, disk } of candidates) {
		try {
			const partition = await partitionIn(room, view, { ...input, disk }, path);
			if (partition !== null) return { disk, partition };
			why = missing;
		} catch (thrown) {
			const error = asKnibError(thrown);
			if (error.code === "USAGE" || !ITS_OWN.has(error.code)) throw error;
			if (error.code === "NOT_FOUND") why = missing;
			else why ??= error;
		}
	}
	throw why ?? missing;
};

const changeOf = (before: Point | undefined, now: Omit<Point, "change">): FileChange => {
	if (before === undefined) return now.file === null ? "absent" : "first";
	if (now.file === null) return before.file === null ? "absent" : "gone";
	if (before.file === null) return "appeared";
	const facts = ({ file, sha256, target }: Omit<Point, "change">): string =>
		JSON.stringify([file, sha256, target]);
	return facts(before) === facts(now) ? "same" : "changed";
};

const lookInto = (
	room: Room,
	view: BackupView,
	{ disk, partition }: Place,
	path: string,
): Promise<Omit<Point, "change">> =>
	room.use(view, disk, async (open) => {
		const file = (await open.disk.stat(partition, path)) ?? null;
		const sha256 = file?.type === "file" ? await open.disk.digest(partition, path) : null;
		const target = file?.type === "symlink" ? await open.disk.target(partition, path) : null;
		return {
			...{ backup: view.id, pointInTime: open.pointInTime, file, sha256 },
			target: target === null ? null : safe(target),
		};
	});

/** What `files log` prints. `views` are the VM's restore points, oldest first. Rejects with NOT_FOUND, USAGE, REFUSED. */
export const logFiles = async (
	room: Room,
	vm: FilesLogView["vm"],
	views: readonly BackupView[],
	input: FilesLogInput,
): Promise<FilesLogView> => {
	const path = absolutePath(guestPath(input.path));
	const place = await findPlace(room, views.toReversed(), input, path);
	const points: Point[] = [];
	const skipped: Skipped[] = [];
	for (const view of views) {
		try {
			const now = await lookInto(room, view, place, path);
			points.push({ ...now, change: changeOf(points.at(-1), now) });
		} catch (thrown) {
			const { code, message } = asKnibError(thrown);
			if (!ITS_OWN.has(code)) throw thrown;
			skipped.push({ backup: view.id, reason: message });
		}
	}
	return { vm, ...place, path: shownName(path), backups: points, skipped };
};
