// The guest agent through libvirt. Its answers come from the guest and may be anything: what cannot be read is AGENT_SILENT (I9).
import { type Clock, type GuestExec, type Hypervisor, type IdSource, KnibError } from "@knib/core";
import { z } from "zod";
import { virshArgv } from "./virsh-argv.ts";
import { stderrOf, type Virsh, virshReason } from "./virsh-client.ts";

export type AgentDeps = {
	readonly virsh: Virsh;
	readonly clock: Clock;
	readonly ids: Pick<IdSource, "random">;
};

/** Freezing may take as long as the guest has dirty data; then somebody must be able to thaw. */
const FREEZE_DEADLINE_MS = 60_000;
const ANSWER_SECONDS = 10;
const POLL_FIRST_MS = 50;
const POLL_MOST_MS = 500;
/** Bytes of an agent's answer that are read: qemu-ga itself stops at 16 MiB of output, in base64 and twice. */
const MOST_ANSWER = 64 * 1024 * 1024;

const silent = (message: string, cause?: unknown): KnibError =>
	new KnibError("AGENT_SILENT", message, cause === undefined ? {} : { cause });

/** Whether a failed call says that the agent, or the guest, does not answer. */
const isSilence = (thrown: unknown): boolean =>
	thrown instanceof KnibError &&
	(thrown.code === "DEADLINE" ||
		/agent|domain is not running|Timed out during operation/i.test(stderrOf(thrown)));

const asSilence = async <T>(work: () => Promise<T>): Promise<T> => {
	try {
		return await work();
	} catch (thrown) {
		if (!isSilence(thrown)) throw thrown;
		throw silent(virshReason(thrown) || "the guest agent did not answer", thrown);
	}
};

const command = async <T>(
	deps: AgentDeps,
	uuid: string,
	request: Readonly<Record<string, unknown>>,
	schema: z.ZodType<T>,
	deadlineMs = ANSWER_SECONDS * 1000,
): Promise<T> => {
	const text = await asSilence(() =>
		deps.virsh(virshArgv.agent(uuid, JSON.stringify(request), Math.ceil(deadlineMs / 1000)), {
			// libvirt ends first by its own timeout; ours is for a libvirt that does not.
			deadlineMs: deadlineMs + 10_000,
			maximumOutput: MOST_ANSWER,
		}),
	);
	try {
		return z.object({ return: schema }).parse(JSON.parse(text)).return;
	} catch (cause) {
		throw silent("the guest agent's answer cannot be read", cause);
	}
};

const numberFrom = (hex: string): number => Number.parseInt(hex.slice(0, 12), 16);

/** Whether the agent answers `guest-sync` with the id sent. */
export const syncAgent = async (
	deps: AgentDeps,
	uuid: string,
	deadlineMs: number,
): Promise<boolean> => {
	const id = numberFrom(deps.ids.random(6));
	const request = { execute: "guest-sync", arguments: { id } };
	try {
		return (await command(deps, uuid, request, z.number(), deadlineMs)) === id;
	} catch (thrown) {
		if (thrown instanceof KnibError && thrown.code === "AGENT_SILENT") return false;
		throw thrown;
	}
};

const count = z.number().int().nonnegative();

/** Freezes all file systems of the guest; how many. Asked of the agent itself, since `virsh -q domfsfreeze` does not say. Rejects with AGENT_SILENT. */
export const freezeGuest = (deps: AgentDeps, uuid: string): Promise<number> =>
	command(deps, uuid, { execute: "guest-fsfreeze-freeze" }, count, FREEZE_DEADLINE_MS);

/** Thaws them; how many. Rejects with AGENT_SILENT. */
export const thawGuest = (deps: AgentDeps, uuid: string): Promise<number> =>
	command(deps, uuid, { execute: "guest-fsfreeze-thaw" }, count, FREEZE_DEADLINE_MS);

const base64 = z
	.string()
	.regex(/^[A-Za-z0-9+/]*={0,2}$/)
	.optional();

const statusSchema = z.looseObject({
	exited: z.boolean(),
	exitcode: z.number().int().optional(),
	signal: z.number().int().optional(),
	"out-data": base64,
	"err-data": base64,
	"out-truncated": z.boolean().optional(),
	"err-truncated": z.boolean().optional(),
});

const decode = (data: string | undefined): Buffer => Buffer.from(data ?? "", "base64");

const toExec = (status: z.infer<typeof statusSchema>, most: number): GuestExec => {
	const stdout = decode(status["out-data"]);
	const stderr = decode(status["err-data"]);
	return {
		exitCode: status.exitcode ?? null,
		signal: status.signal ?? null,
		stdout: stdout.subarray(0, most),
		stderr: stderr.subarray(0, most),
		truncated:
			stdout.length > most ||
			stderr.length > most ||
			status["out-truncated"] === true ||
			status["err-truncated"] === true,
	};
};

/** Runs a program in the guest and waits for its end. The program goes on in the guest after a deadline or a cancellation: the agent knows no way to stop it. Rejects with AGENT_SILENT, DEADLINE, CANCELLED. */
export const execInGuest = async (
	deps: AgentDeps,
	...[uuid, program, signal]: Parameters<Hypervisor["guestExec"]>
): Promise<GuestExec> => {
	const until = deps.clock.monotonic() + program.deadlineMs;
	const left = (): number => {
		const ms = until - deps.clock.monotonic();
		if (ms <= 0)
			throw new KnibError("DEADLINE", `${program.path} did not end in the guest in time`);
		return ms;
	};
	const request = {
		execute: "guest-exec",
		arguments: { path: program.path, arg: program.args, "capture-output": true },
	};
	const answerMs = (): number => Math.min(ANSWER_SECONDS * 1000, left());
	const { pid } = await command(
		deps,
		uuid,
		request,
		z.looseObject({ pid: z.number().int() }),
		answerMs(),
	);
	for (let pause = POLL_FIRST_MS; ; pause = Math.min(POLL_MOST_MS, pause * 2)) {
		const ask = { execute: "guest-exec-status", arguments: { pid } };
		const status = await command(deps, uuid, ask, statusSchema, answerMs());
		if (status.exited) return toExec(status, program.maximumOutput);
		await deps.clock.sleep(Math.min(pause, left()), signal);
	}
};
