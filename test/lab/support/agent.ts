import { waitFor } from "./deadline.ts";
import type { Lab } from "./lab.ts";

export type ExecResult = {
	readonly code: number;
	readonly stdout: string;
	readonly stderr: string;
};

export type ExecOptions = {
	/** Throw on any exit code but 0; on unless told otherwise. */
	readonly reject?: boolean;
	readonly deadlineMs?: number;
	/** Stdin of the command. */
	readonly input?: string | Uint8Array;
};

const AGENT_TIMEOUT_S = 60;
const EXEC_DEADLINE_MS = 120_000;
const EXEC_POLL_MS = 30;

/** Whether the guest agent answers now; false too when the guest is off or paused. */
export async function agentAnswers(lab: Lab, name: string): Promise<boolean> {
	const ping = JSON.stringify({ execute: "guest-ping" });
	return (await lab.tryVirsh("qemu-agent-command", name, ping, "--timeout", "5")).exitCode === 0;
}

/** Runs a shell command in the guest as root. */
export async function execInGuest(
	lab: Lab,
	name: string,
	command: string,
	{ reject = true, deadlineMs = EXEC_DEADLINE_MS, input }: ExecOptions = {},
): Promise<ExecResult> {
	const { pid } = await ask(lab, name, "guest-exec", {
		path: "/bin/sh",
		arg: ["-c", command],
		"capture-output": true,
		...(input === undefined ? {} : { "input-data": Buffer.from(input).toString("base64") }),
	});
	const status = await waitFor(
		async () => {
			const answer = await ask(lab, name, "guest-exec-status", { pid });
			return answer["exited"] === true && answer;
		},
		{ deadlineMs, everyMs: EXEC_POLL_MS, what: `"${command}" in ${name}` },
	);
	const code = Number(status["exitcode"] ?? 128 + Number(status["signal"]));
	const result = { code, stdout: decode(status["out-data"]), stderr: decode(status["err-data"]) };
	if (code !== 0 && reject) {
		throw new Error(`"${command}" in ${name} exited ${code}\n${result.stderr || result.stdout}`);
	}
	return result;
}

async function ask(
	lab: Lab,
	name: string,
	execute: string,
	args: Readonly<Record<string, unknown>>,
): Promise<Readonly<Record<string, unknown>>> {
	const request = JSON.stringify({ execute, arguments: args });
	const timeout = String(AGENT_TIMEOUT_S);
	const text = await lab.virsh("qemu-agent-command", name, request, "--timeout", timeout);
	const answer: unknown = JSON.parse(text);
	const value = isRecord(answer) ? answer["return"] : undefined;
	if (!isRecord(value)) throw new Error(`${execute} in ${name}: unexpected answer ${text}`);
	return value;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
	return typeof value === "object" && value !== null;
}

function decode(data: unknown): string {
	return typeof data === "string" ? Buffer.from(data, "base64").toString() : "";
}
