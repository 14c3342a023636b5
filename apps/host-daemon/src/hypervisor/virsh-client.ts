// Calls virsh and turns what it says on failure into codes. A call that finds the VM's job lock taken is made again until its
// deadline, since libvirtd gives up by itself after 30 s (LAB 7).
import { type Clock, type ErrorCode, KnibError } from "@knib/core";
import { type CommandOptions, type Run, textOf } from "./run-command.ts";

/** One libvirt, addressed by its URI: runs a virsh command and gives its stdout. Rejects with LIBVIRT_UNREACHABLE, VM_NOT_FOUND, COMMAND_FAILED, DEADLINE, CANCELLED. */
export type Virsh = (argv: readonly string[], options?: CommandOptions) => Promise<string>;

const DEADLINE_MS = 120_000;
/** How long a taken job lock is waited for, all tries together. */
const LOCK_DEADLINE_MS = 300_000;
const LOCK_PAUSE_MS = 200;

const CODES: readonly (readonly [RegExp, ErrorCode])[] = [
	[
		/failed to connect to the hypervisor|Disconnected from|client socket is closed|End of file while reading data|Cannot recv data|Cannot write data/,
		"LIBVIRT_UNREACHABLE",
	],
	[/failed to get domain|Domain not found|no domain with matching/, "VM_NOT_FOUND"],
];

/** What virsh wrote on stderr, if this is a failed command. */
export const stderrOf = (thrown: unknown): string => {
	const stderr = thrown instanceof KnibError ? thrown.details["stderr"] : undefined;
	return typeof stderr === "string" ? stderr : "";
};

/** What virsh said, without its own prefix. */
export const virshReason = (thrown: unknown): string =>
	stderrOf(thrown)
		.replaceAll(/^error: /gm, "")
		.trim()
		.replaceAll(/\s*\n\s*/g, ": ");

const withCode = (thrown: unknown, command: string | undefined): unknown => {
	if (!(thrown instanceof KnibError) || thrown.code !== "COMMAND_FAILED") return thrown;
	const reason = virshReason(thrown);
	if (reason === "") return thrown;
	const code = CODES.find(([pattern]) => pattern.test(reason))?.[1] ?? "COMMAND_FAILED";
	return new KnibError(code, `virsh ${command} failed: ${reason}`, {
		details: thrown.details,
		cause: thrown,
	});
};

/** Whether another call holds the VM's job lock. */
export const isLockBusy = (thrown: unknown): boolean =>
	/cannot acquire state change lock/.test(stderrOf(thrown));

/** virsh on one URI. */
export const createVirsh = (deps: {
	readonly uri: string;
	readonly run: Run;
	readonly clock: Clock;
}): Virsh => {
	const once = async (argv: readonly string[], options: CommandOptions): Promise<string> => {
		try {
			const result = await deps.run(["virsh", "-q", "-c", deps.uri, ...argv], {
				deadlineMs: DEADLINE_MS,
				...options,
			});
			return textOf(result);
		} catch (thrown) {
			throw withCode(thrown, argv[0]);
		}
	};
	return async (argv, options = {}) => {
		const until = deps.clock.monotonic() + LOCK_DEADLINE_MS;
		for (;;) {
			try {
				return await once(argv, options);
			} catch (thrown) {
				if (!isLockBusy(thrown) || deps.clock.monotonic() >= until) throw thrown;
				await deps.clock.sleep(LOCK_PAUSE_MS, options.signal);
			}
		}
	};
};
