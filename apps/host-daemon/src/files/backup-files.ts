// What can be asked of the files in backups at once: the API's side of this directory.
import type {
	BackupView,
	FilesListInput,
	FilesLogInput,
	FilesLogView,
	FilesView,
} from "@knib/core";
import { createDiskRoom } from "./disk-room.ts";
import { listFiles } from "./list-files.ts";
import { logFiles } from "./log-files.ts";
import { type FilesDeps, openDisk, sweepOpenDisks } from "./open-disk.ts";

export type BackupFiles = {
	/** Rejects with REFUSED, NOT_FOUND, USAGE, VERIFY_FAILED, APPLIANCE_UNAVAILABLE, FILE_SYSTEM_UNREADABLE, BACKUP_BUSY. */
	readonly list: (view: BackupView, input: FilesListInput) => Promise<FilesView>;
	/** One file over a VM's restore points, which are given oldest first. Rejects likewise. */
	readonly log: (
		vm: FilesLogView["vm"],
		views: readonly BackupView[],
		input: FilesLogInput,
	) => Promise<FilesLogView>;
	/** Closes the disks of a chain that are open for the next question only: its backups are to be changed. */
	readonly release: (chain: string) => Promise<void>;
	/** Takes away what an earlier life of the daemon has left. */
	readonly sweep: () => Promise<void>;
	readonly close: () => Promise<void>;
};

export const createBackupFiles = (
	deps: FilesDeps,
	onProblem: (error: unknown) => void,
): BackupFiles => {
	const room = createDiskRoom((view, disk) => openDisk(deps, view, disk), onProblem);
	return {
		list: (view, input) => room.use(view, input.disk, (open) => listFiles(open, view, input)),
		log: (vm, views, input) => logFiles(room, vm, views, input),
		release: room.release,
		sweep: () => sweepOpenDisks(deps, onProblem),
		close: room.close,
	};
};
