// Disks that are kept open between questions, so that going from directory to directory takes milliseconds and not the start of an
// appliance. One that nobody has asked for a while is closed; so is one whose chain is to be changed.
import { asKnibError, type BackupView, type ErrorCode, KnibError } from "@knib/core";
import type { OpenDisk } from "./open-disk.ts";

/** How long an open disk waits for the next question, ms. */
const IDLE_MS = 60_000;
/** Appliances at a time. */
const MOST = 3;

/** Errors that are answers: the appliance that gave them is as good as before. */
const ANSWERS: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
	"NOT_FOUND",
	"USAGE",
	"REFUSED",
	"FILE_SYSTEM_UNREADABLE",
]);

type Entry = {
	readonly key: string;
	readonly chain: string | null;
	readonly opening: Promise<OpenDisk>;
	/** Questions under way and waiting. */
	users: number;
	/** Ends when the last question so far has. */
	turn: Promise<unknown>;
	timer: NodeJS.Timeout | undefined;
};

export type DiskRoom = {
	/** Asks questions of a disk, alone with it. */
	readonly use: <T>(
		view: BackupView,
		disk: string,
		work: (open: OpenDisk) => Promise<T>,
	) => Promise<T>;
	/** Closes the disks of a chain that nobody is asking now. */
	readonly release: (chain: string) => Promise<void>;
	readonly close: () => Promise<void>;
};

/** Opens disks by `open` when first asked for. */
export const createDiskRoom = (
	open: (view: BackupView, disk: string) => Promise<OpenDisk>,
	onProblem: (error: unknown) => void,
): DiskRoom => {
	const entries = new Map<string, Entry>();

	const forget = (entry: Entry): void => {
		if (entries.get(entry.key) === entry) entries.delete(entry.key);
	};
	const end = async (entry: Entry): Promise<void> => {
		clearTimeout(entry.timer);
		forget(entry);
		const opened = await entry.opening.catch(() => undefined);
		await opened?.close();
	};
	const idle = (): Entry | undefined => [...entries.values()].find((entry) => entry.users === 0);

	/** The entry of a disk, with one user more. Nothing is waited for, so that no entry is taken for idle meanwhile. */
	const enter = (view: BackupView, disk: string): Entry => {
		const key = `${view.id}/${disk}`;
		const known = entries.get(key);
		if (known !== undefined) {
			known.users += 1;
			return known;
		}
		const oldest = entries.size < MOST ? undefined : idle();
		if (oldest !== undefined) forget(oldest);
		if (entries.size >= MOST) {
			throw new KnibError("BACKUP_BUSY", `the files of ${MOST} disks are being read already`, {
				details: { hint: "try again when one of them has ended" },
			});
		}
		const opening = (async () => {
			if (oldest !== undefined) await end(oldest);
			return await open(view, disk);
		})();
		const turn = Promise.resolve();
		const entry: Entry = { key, chain: view.chain, opening, users: 1, turn, timer: undefined };
		entries.set(key, entry);
		// what could not be opened is tried afresh by the next question
		opening.catch(() => forget(entry));
		return entry;
	};

	const leave = async (entry: Entry): Promise<void> => {
		entry.users -= 1;
		if (entry.users > 0) return;
		if (entries.get(entry.key) !== entry) {
			await end(entry).catch(onProblem);
			return;
		}
		entry.timer = setTimeout(() => void end(entry).catch(onProblem), IDLE_MS);
		entry.timer.unref();
	};

	const use: DiskRoom["use"] = async (view, disk, work) => {
		const entry = enter(view, disk);
		clearTimeout(entry.timer);
		const mine = entry.turn.then(async () => work(await entry.opening));
		entry.turn = mine.catch(() => undefined);
		try {
			return await mine;
		} catch (thrown) {
			if (!ANSWERS.has(asKnibError(thrown).code)) forget(entry);
			throw thrown;
		} finally {
			await leave(entry);
		}
	};
	return {
		use,
		release: async (chain) => {
			for (const entry of [...entries.values()]) {
				if (entry.chain === chain && entry.users === 0) await end(entry);
			}
		},
		close: async () => {
			await Promise.all([...entries.values()].map((entry) => end(entry).catch(onProblem)));
		},
	};
};
