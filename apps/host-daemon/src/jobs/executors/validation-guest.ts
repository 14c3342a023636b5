// What is asked of the guest in a throw-away VM. Everything it answers is hostile: each call ends on a limit, output is capped, and
// an answer that makes no sense is no answer.
import { readFile } from "node:fs/promises";
import {
	asKnibError,
	type GuestCommandPlan,
	type GuestExec,
	judgeCommand,
	judgeScreen,
	type KnibError,
	type Outcomes,
} from "@knib/core";
import { decodePng } from "../../hypervisor/decode-png.ts";
import type { Executor, StepContext, StepOf } from "../context.ts";
import { readBackup } from "./validation-begin.ts";
import {
	hasFailed,
	isDamaged,
	reported,
	sinceStart,
	unable,
	validationPlanOf,
	within,
} from "./validation-context.ts";
import { firstScreen } from "./validation-vm.ts";

const AGENT_TRY_MS = 5_000;
const POLL_MS = 250;
const MARGIN_MS = 10_000;
/** More than any expected text can be (`backupValidationCommandExpectedResult` takes 100 000 characters of base64). */
const MAXIMUM_OUTPUT = 128 * 1024;

/** Errors that are the host's, not the guest's. */
const OURS: ReadonlySet<string> = new Set([
	"LIBVIRT_UNREACHABLE",
	"REPOSITORY_UNREACHABLE",
	"CANCELLED",
	"VALIDATION_UNABLE",
	"INTERNAL",
]);

/** Passes on what is our own trouble; the rest is the guest's, and returned. */
const guestsOwn = (context: StepContext, thrown: unknown): KnibError => {
	context.signal.throwIfAborted();
	const error = asKnibError(thrown);
	if (OURS.has(error.code)) throw error;
	return error;
};

/** False when the guest has ended by itself. A VM that stands still does so because its storage failed: that is ours. */
const isAlive = async (context: StepContext): Promise<boolean> => {
	const vm = await context.deps.hypervisor.vm(validationPlanOf(context).uuid);
	if (vm === undefined || vm.state === "shut off" || vm.state === "crashed") return false;
	if (vm.state === "paused") {
		throw unable(
			"the throw-away VM stopped on an error of its storage (no space, or no repository)",
		);
	}
	return true;
};

type Waited = { readonly answered: boolean; readonly message: string };

/** Waits until the agent answers, the guest ends, or the limit passes. */
const waitForAgent = async (context: StepContext, timeoutMs: number): Promise<Waited> => {
	const { hypervisor, clock } = context.deps;
	const { uuid } = validationPlanOf(context);
	const deadline = clock.monotonic() + timeoutMs;
	for (;;) {
		const left = deadline - clock.monotonic();
		if (left <= 0) {
			return {
				answered: false,
				message: `the guest agent did not answer within ${timeoutMs / 1000} s`,
			};
		}
		const limit = Math.ceil(Math.min(left, AGENT_TRY_MS));
		const asked = hypervisor.agentSync(uuid, limit);
		const answered = await within(context, limit + MARGIN_MS, "the agent", asked).catch(
			(thrown: unknown) => {
				guestsOwn(context, thrown);
				return false;
			},
		);
		if (answered) return { answered, message: "the guest agent answered" };
		if (!(await isAlive(context))) {
			return { answered: false, message: "the guest ended before its agent answered" };
		}
		await clock.sleep(POLL_MS, context.signal);
	}
};

/** Waits for the guest agent: the VM has booted when it answers. */
export const waitForBoot: Executor<"wait-for-boot"> = {
	run: async (step, context): Promise<Outcomes> => {
		if (isDamaged(context)) return {};
		const { answered, message } = await waitForAgent(context, step.timeoutMs);
		const durationMs = sinceStart(context);
		const outcome = reported(context, { step: "wait_for_boot", ok: answered, message, durationMs });
		return answered ? { ...outcome, agentMs: Math.round(durationMs) } : outcome;
	},
};

const SCREEN_MS = 30_000;

const keepScreenshot = async (context: StepContext, png: Uint8Array): Promise<void> => {
	const repository = await context.repository();
	const backup = await readBackup(context);
	const { at } = validationPlanOf(context);
	await repository.keepValidation(backup, at, [{ name: "screenshot.png", contents: png }]);
};

const judge = async (
	context: StepContext,
	png: Uint8Array,
): Promise<{ readonly ok: boolean; readonly message: string }> => {
	const { directory } = validationPlanOf(context);
	const first = await readFile(firstScreen(directory)).catch(() => undefined);
	try {
		return judgeScreen(decodePng(png), first === undefined ? null : decodePng(first));
	} catch (thrown) {
		return { ok: false, message: guestsOwn(context, thrown).message };
	}
};

/** The console after the configured wait; at once when an earlier step has failed, as evidence. */
export const takeScreenshot: Executor<"take-screenshot"> = {
	run: async (step, context): Promise<Outcomes> => {
		if (isDamaged(context)) return {};
		const { hypervisor, clock } = context.deps;
		const { uuid } = validationPlanOf(context);
		const started = clock.monotonic();
		if (!hasFailed(context)) await clock.sleep(step.waitMs, context.signal);
		const verdict = (ok: boolean, message: string): Outcomes =>
			reported(context, {
				...{ step: "screenshot", ok, message },
				durationMs: clock.monotonic() - started,
			});
		if (!(await isAlive(context)))
			return verdict(false, "the guest ended before its screen was taken");
		let png: Uint8Array;
		try {
			png = await within(context, SCREEN_MS, "the screenshot", hypervisor.screenshot(uuid));
		} catch (thrown) {
			const error = guestsOwn(context, thrown);
			if (await isAlive(context))
				throw unable(`no screenshot can be taken: ${error.message}`, error);
			return verdict(false, "the guest ended before its screen was taken");
		}
		await keepScreenshot(context, png);
		const { ok, message } = await judge(context, png);
		return { ...verdict(ok, message), screenshot: true };
	},
};

const decode = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

const outputOf = (exec: GuestExec): string => {
	const errors = decode(exec.stderr);
	const cut = exec.truncated ? "\n(the output was cut)" : "";
	return decode(exec.stdout) + (errors === "" ? "" : `\n[stderr]\n${errors}`) + cut;
};

const runInGuest = (context: StepContext, command: GuestCommandPlan): Promise<GuestExec> => {
	const { hypervisor } = context.deps;
	const { path, args, timeoutMs } = command;
	return within(
		context,
		timeoutMs + MARGIN_MS,
		`${path} in the guest`,
		hypervisor.guestExec(
			validationPlanOf(context).uuid,
			{ path, args, deadlineMs: timeoutMs, maximumOutput: MAXIMUM_OUTPUT },
			context.signal,
		),
	);
};

/** How libvirt says that an answer is longer than one of its messages (4 MiB) or than it reads at all (10 MiB); measured on libvirt 9.0. */
const TOO_LONG = /Unable to encode message payload|No complete agent response found/;
const PRINTED_TOO_MUCH = "the command printed more than libvirt can carry (about 3 MB)";

/** Runs the command. `agentMs` is the time from the start to the agent's first answer: waits of ours, such as that for the screenshot, are no part of what a user would wait for. */
const execute = async (
	context: StepContext,
	command: GuestCommandPlan,
	agentMs: number,
): Promise<Outcomes> => {
	const { clock } = context.deps;
	const started = clock.monotonic();
	const durationMs = (): number => clock.monotonic() - started;
	try {
		const exec = await runInGuest(context, command);
		const { ok, message } = judgeCommand(exec, command.expected);
		const verdict = { step: "execute_command", ok, message, durationMs: durationMs() } as const;
		const outcome = reported(context, { ...verdict, output: outputOf(exec) });
		return ok ? { ...outcome, answerMs: Math.round(agentMs + durationMs()) } : outcome;
	} catch (thrown) {
		const error = guestsOwn(context, thrown);
		await isAlive(context);
		const message = TOO_LONG.test(error.message) ? PRINTED_TOO_MUCH : error.message;
		const verdict = { step: "execute_command", ok: false, message } as const;
		return reported(context, { ...verdict, durationMs: durationMs() });
	}
};

const skip = (context: StepContext, message: string): Outcomes =>
	reported(context, { step: "execute_command", ok: true, skipped: true, message, durationMs: 0 });

/** Ms from the start to the agent's first answer, waited for where no step before has; or why there was none. */
const reachAgent = async (
	context: StepContext,
	step: StepOf<"run-command">,
): Promise<{ readonly agentMs: number } | { readonly failure: string }> => {
	const { agentMs } = context.outcomes;
	if (typeof agentMs === "number") return { agentMs };
	const { answered, message } = await waitForAgent(context, step.bootTimeoutMs);
	return answered ? { agentMs: Math.round(sinceStart(context)) } : { failure: message };
};

/** Runs the VM's own command in the guest. No command: skipped, and said so. */
export const runGuestCommand: Executor<"run-command"> = {
	run: async (step, context): Promise<Outcomes> => {
		if (isDamaged(context)) return {};
		if (step.command === null) return skip(context, "no command is set for this VM");
		if (hasFailed(context)) return skip(context, "not run, since a step before has failed");
		const reached = await reachAgent(context, step);
		if ("failure" in reached) {
			const message = reached.failure;
			const verdict = { step: "execute_command", ok: false, message } as const;
			return reported(context, { ...verdict, durationMs: sinceStart(context) });
		}
		const outcome = await execute(context, step.command, reached.agentMs);
		return { ...outcome, agentMs: reached.agentMs };
	},
};
