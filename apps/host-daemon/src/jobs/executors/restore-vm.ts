// Defines the restored VM and starts it.
import { asKnibError, KnibError, type Outcomes, type RestorePlan, type Vm } from "@knib/core";
import type { Executor, StepContext } from "../context.ts";
import { restorePlanOf } from "./restore-hold.ts";

/** One question to the guest agent, ms. */
const ASK_MS = 2_000;
/** Pause between questions, ms; also where the agent's answer comes at once. */
const PAUSE_MS = 500;

const ownVm = (context: StepContext): Promise<Vm | undefined> =>
	context.deps.hypervisor.vm(restorePlanOf(context).uuid);

const verifyDefined = (plan: RestorePlan, vm: Vm | undefined): void => {
	const paths = new Map(vm?.disks.map((disk) => [disk.target, disk.path]));
	const wrong = plan.disks.find((disk) => paths.get(disk.target) !== disk.path);
	if (vm?.name === plan.name && wrong === undefined) return;
	const what = wrong === undefined ? "name" : `disk ${wrong.target}`;
	throw new KnibError(
		"VERIFY_FAILED",
		`VM ${plan.name} was defined, but libvirt says otherwise of its ${what}`,
	);
};

/** Defines the VM and reads it back. A name that another VM took in the meantime is EXISTS. */
export const defineVm: Executor<"define-vm"> = {
	run: async (_step, context) => {
		const plan = restorePlanOf(context);
		const { hypervisor } = context.deps;
		if ((await ownVm(context)) === undefined) {
			if ((await hypervisor.vm(plan.name)) !== undefined) {
				throw new KnibError("EXISTS", `there is a VM ${plan.name} on this host by now`);
			}
			await hypervisor.define(plan.xml);
		}
		verifyDefined(plan, await ownVm(context));
		return {};
	},
	undo: async (_step, context) => {
		const plan = restorePlanOf(context);
		const vm = await ownVm(context);
		if (vm === undefined) return;
		if (vm.run !== undefined) {
			throw new KnibError("REFUSED", `VM ${plan.name} is kept: somebody has started it`);
		}
		await context.deps.hypervisor.undefine(plan.uuid);
	},
};

/** Waits for the agent; ms since `since` when it answered, else the reason in words why it did not. */
const waitForAgent = async (
	context: StepContext,
	since: number,
	deadlineMs: number,
): Promise<number | string> => {
	const { hypervisor, clock } = context.deps;
	const { uuid } = restorePlanOf(context);
	for (;;) {
		context.signal.throwIfAborted();
		const passed = clock.monotonic() - since;
		if (passed >= deadlineMs) {
			return `its guest agent did not answer within ${Math.round(deadlineMs / 1000)} s`;
		}
		const vm = await hypervisor.vm(uuid);
		if (vm?.state !== "running") return `it is ${vm?.state ?? "gone"} again`;
		const answered = await hypervisor.agentSync(uuid, Math.min(ASK_MS, deadlineMs - passed));
		if (answered) return Math.round(clock.monotonic() - since);
		await clock.sleep(PAUSE_MS, context.signal);
	}
};

/** Starts the VM; the reason in words when libvirt refuses to. */
const start = async (context: StepContext): Promise<string | null> => {
	const { uuid } = restorePlanOf(context);
	try {
		await context.deps.hypervisor.start(uuid);
		return null;
	} catch (thrown) {
		const error = asKnibError(thrown);
		if (error.code !== "COMMAND_FAILED") throw error;
		return error.message;
	}
};

/** Starts the VM and waits for its agent. A VM that cannot be started, or whose agent stays silent, is a warning: the restored VM is complete and stays. It is never taken back: what the guest has done since exists nowhere else. */
export const startVm: Executor<"start-vm"> = {
	run: async (step, context): Promise<Outcomes> => {
		const { clock } = context.deps;
		const { name } = restorePlanOf(context);
		const since = clock.monotonic();
		const vm = await ownVm(context);
		if (vm?.run === undefined) {
			const problem = await start(context);
			if (problem !== null) {
				return { agentMs: null, warnings: [`VM ${name} is defined, but not started: ${problem}`] };
			}
		}
		const startedAt = clock.now();
		if (vm?.agentChannel !== true) return { startedAt, agentMs: null };
		const answer = await waitForAgent(context, since, step.agentDeadlineMs);
		if (typeof answer === "number") return { startedAt, agentMs: answer };
		return { startedAt, agentMs: null, warnings: [`VM ${name} was started, but ${answer}`] };
	},
};
