// Carries schedules out for the VMs of this host. When each was last carried out is kept in the state directory, so that a run that was
// missed while knibd did not run is caught up, once.
import { readFile } from "node:fs/promises";
import {
	asKnibError,
	type Clock,
	delayOf,
	dueRun,
	type Hypervisor,
	jobRequestSchema,
	retentionLabel,
	type Schedule,
	scheduleLabel,
} from "@knib/core";
import { z } from "zod";
import { runsAfter } from "../catalog/cron.ts";
import type { ScheduleBook } from "../catalog/schedule-book.ts";
import { writeStateFile } from "../state-file.ts";
import type { JobService } from "./job-service.ts";
import { createKeeper, type Keeper } from "./keeper.ts";
import { isScheduled } from "./scheduled-vms.ts";

/** How often it looks, ms: a run begins no later than that after its time. */
const LOOK_MS = 10_000;

/** When each schedule was last carried out on this host, ms since 1970, by id. */
const ledgerSchema = z.record(z.string(), z.number());
type Ledger = Readonly<Record<string, number>>;

type Options = {
	readonly schedules: Pick<ScheduleBook, "all">;
	readonly hypervisor: Pick<Hypervisor, "list" | "vm">;
	readonly jobs: Pick<JobService, "list" | "start">;
	readonly host: { readonly id: string };
	readonly clock: Clock;
	readonly stateDir: string;
	/** Raises the alert that a VM's scheduled backup was refused, or takes it back with null. */
	readonly alert: (vm: { uuid: string; name: string }, text: string | null) => Promise<void>;
	readonly onProblem: (error: unknown) => void;
};

type ListedVm = Awaited<ReturnType<Hypervisor["list"]>>[number];

/** One that nobody can read makes each schedule begin at its last change: a run is made twice rather than not at all. */
const readLedger = async (path: string): Promise<Ledger> => {
	try {
		return ledgerSchema.parse(JSON.parse(await readFile(path, "utf8")));
	} catch {
		return {};
	}
};

export const createScheduleKeeper = (options: Options): Keeper => {
	const { schedules, hypervisor, jobs, host, clock, alert, onProblem } = options;
	const path = `${options.stateDir}/schedule-ledger.json`;
	const nowMs = (): number => Date.parse(clock.now());

	const isDue = (schedule: Schedule, ledger: Ledger): boolean =>
		dueRun({
			nowMs: nowMs(),
			lastMs: ledger[schedule.id],
			changedMs: Date.parse(schedule.changedAt),
			delayMs: delayOf(schedule, host.id),
			nextAfter: (ms) => runsAfter(schedule, ms, 1)[0] ?? null,
		}) !== undefined;

	/** A VM that cannot be read may be one that is meant. */
	const isMeant = async (schedule: Schedule, vm: ListedVm): Promise<boolean> => {
		try {
			return await isScheduled(hypervisor, schedule, vm);
		} catch (thrown) {
			await alert(vm, `schedule ${schedule.name}: ${asKnibError(thrown).message}`);
			return false;
		}
	};

	const backUp = async (schedule: Schedule, vm: ListedVm): Promise<void> => {
		const waits = (await jobs.list({ type: "Backup", vm: vm.uuid })).some(
			({ state }) => state === "waiting",
		);
		if (waits) return;
		const { isolated, name, id, retention } = schedule;
		const labels = [scheduleLabel(name), ...(retention === undefined ? [] : [retentionLabel(id)])];
		const request = { type: "Backup", vm: vm.uuid, isolated, labels };
		try {
			await jobs.start(jobRequestSchema.parse(request), `schedule ${name}`);
			await alert(vm, null);
		} catch (thrown) {
			await alert(vm, `schedule ${name}: ${asKnibError(thrown).message}`);
		}
	};

	const look = async (): Promise<void> => {
		const ledger = await readLedger(path);
		const due = (await schedules.all()).filter((schedule) => isDue(schedule, ledger));
		if (due.length === 0) return;
		const vms = await hypervisor.list();
		const at = nowMs();
		for (const schedule of due) {
			for (const vm of vms) if (await isMeant(schedule, vm)) await backUp(schedule, vm);
		}
		const known = new Set((await schedules.all()).map(({ id }) => id));
		const kept = Object.entries(ledger).filter(([id]) => known.has(id));
		const done = due.map(({ id }) => [id, at]);
		await writeStateFile(path, Object.fromEntries([...kept, ...done]));
	};

	return createKeeper({ clock, look, waitMs: async () => LOOK_MS, onProblem });
};
