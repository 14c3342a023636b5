import { asKnibError, KnibError, settingMilliseconds } from "@knib/core";
import type { StepContext } from "../context.ts";

/** Runs `work` while the guest's file systems are frozen (SPEC 2.5, SAFETY F19). The thaw is tried whatever happens, here and by a watchdog that outlives the daemon. `thawedEarly` says that the guest had thawed by itself before, so that the point is not quiesced. */
export const withFrozenGuest = async <T>(
	context: StepContext,
	work: () => Promise<T>,
): Promise<{ readonly value: T; readonly thawedEarly: boolean }> => {
	const { hypervisor, catalog, thawWatchdog } = context.deps;
	const vm = context.plan.vm.uuid;
	const name = "backup.freeze.maximum";
	const maximum = settingMilliseconds(name, await catalog.setting(name, { vm }));
	const watchdog = await thawWatchdog(vm, maximum);
	let frozen = -1;
	let thawed = -1;
	let value: T;
	try {
		// A freeze whose answer was lost may have frozen the guest all the same.
		frozen = await hypervisor.freeze(vm);
		context.log("info", `${frozen} file systems frozen`);
		value = await work();
	} finally {
		thawed = await thawForSure(context, vm);
		// Not thawed by us: the watchdog goes on trying, also when this process is long gone.
		if (thawed >= 0) watchdog.done();
	}
	if (watchdog.fired()) {
		throw new KnibError(
			"DEADLINE",
			`the guest was frozen for longer than ${maximum / 1000} s and has been thawed`,
		);
	}
	return { value, thawedEarly: thawed !== frozen };
};

const THAW_TRIES = 20;

const thawForSure = async (context: StepContext, vm: string): Promise<number> => {
	for (let attempt = 1; ; attempt++) {
		try {
			return await context.deps.hypervisor.thaw(vm);
		} catch (thrown) {
			context.log("error", `the guest could not be thawed: ${asKnibError(thrown).message}`);
			if (attempt === THAW_TRIES) return -1;
			await context.deps.clock.sleep(250);
		}
	}
};
