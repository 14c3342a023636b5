// Frees the disks that restores in place have set aside, by time. The time counts from the VM's first boot after the restore that knibd
// has seen, only while knibd sees it pass, and nothing goes while the clock is not believable (SAFETY F16, F21). What is due is deleted by
// a job, under the same proofs as `restore confirm`.
import {
	type Clock,
	type Hypervisor,
	jobRequestSchema,
	settingMilliseconds,
	type Vm,
} from "@knib/core";
import type { Catalog } from "../catalog/catalog.ts";
import type { JobService } from "./job-service.ts";
import { createKeeper, type Keeper } from "./keeper.ts";
import { findRecords, type KeptRecord } from "./kept-record.ts";
import { openTimeLedger } from "./time-ledger.ts";

/** The longest and the shortest time between two looks, ms. */
const LOOK_MS = 10 * 60_000;
const SHORTEST_LOOK_MS = 500;
/** How long a guest agent is waited for, ms. */
const ASK_MS = 2_000;
const SETTING = "backup.restore.keep.old";

type Options = {
	readonly hypervisor: Pick<Hypervisor, "list" | "vm" | "agentSync">;
	readonly catalog: Pick<Catalog, "setting">;
	readonly jobs: Pick<JobService, "start">;
	readonly clock: Clock;
	readonly stateDir: string;
	/** When the newest backup that the view knows was made; null when there is none. */
	readonly newestBackupAt: () => Promise<string | null>;
	readonly onProblem: (error: unknown) => void;
};

type Kept = { readonly key: string; readonly vm: Vm; readonly record: KeptRecord };

const findKept = async ({ hypervisor, onProblem }: Options): Promise<readonly Kept[]> => {
	const kept: Kept[] = [];
	for (const { uuid } of await hypervisor.list()) {
		try {
			const vm = await hypervisor.vm(uuid);
			if (vm === undefined) continue;
			for (const { record } of await findRecords(vm)) {
				kept.push({ key: `${uuid}/${record.id}-${record.state}`, vm, record });
			}
		} catch (thrown) {
			onProblem(thrown);
		}
	}
	return kept;
};

export const createKeptKeeper = (options: Options): Keeper => {
	const { hypervisor, catalog, jobs, clock, onProblem } = options;
	const ledger = openTimeLedger(`${options.stateDir}/kept-ledger.json`, clock);
	const asked = new Set<string>();

	const keepMs = async (vm?: string): Promise<number> =>
		settingMilliseconds(SETTING, await catalog.setting(SETTING, vm === undefined ? {} : { vm }));

	const isUp = async (vm: Vm): Promise<boolean> => {
		if (vm.state !== "running") return false;
		if (!vm.agentChannel) return true;
		return await hypervisor.agentSync(vm.uuid, ASK_MS).catch(() => false);
	};

	const confirm = async ({ key, vm, record }: Kept): Promise<void> => {
		// A job that was refused says why; it is asked for again once knibd was started anew.
		if (asked.has(key)) return;
		asked.add(key);
		const request = { type: "Restore", mode: "confirm", vm: vm.uuid, restore: record.id };
		await jobs.start(jobRequestSchema.parse(request), `knibd: ${SETTING} is over`);
	};

	const look = async (): Promise<void> => {
		const kept = await findKept(options);
		const known = (await ledger.read()).seenMs;
		const counted: Kept[] = [];
		for (const one of kept) {
			if (known[one.key] !== undefined || (await isUp(one.vm))) counted.push(one);
		}
		const newest = await options.newestBackupAt();
		const verdict = await ledger.look({
			newestManifestMs: newest === null ? null : Date.parse(newest),
			graceMs: 0,
			entries: counted.map(({ key }) => key),
			unreadable: [],
		});
		for (const one of counted.filter(({ key }) => verdict.purge.includes(key))) {
			const seen = verdict.ledger.seenMs[one.key] ?? 0;
			if (seen >= (await keepMs(one.vm.uuid))) await confirm(one).catch(onProblem);
		}
	};

	const waitMs = async (): Promise<number> => {
		const keep = await keepMs().catch(() => LOOK_MS);
		return Math.min(LOOK_MS, Math.max(SHORTEST_LOOK_MS, keep / 4));
	};

	return createKeeper({ clock, look, waitMs, onProblem });
};
