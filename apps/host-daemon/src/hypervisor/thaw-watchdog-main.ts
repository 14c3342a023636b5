// A process of its own: `thaw-watchdog-main URI VM MILLISECONDS`. It ends when it reads `done`. When its time is up, or its standard
// input ends without that word, it thaws the guest and goes on trying until the agent has answered or the VM is off.
import { createInterface } from "node:readline";
import { setTimeout as wait } from "node:timers/promises";
import { asKnibError } from "@knib/core";
import { runCommand } from "./run-command.ts";

const RETRY_MS = 500;
/** The longest that a guest is tried for, ms: an agent that is gone for an hour does not come back by asking. */
const GIVE_UP_MS = 3_600_000;

const [uri = "", vm = "", maximum = "10000"] = process.argv.slice(2);

const thaw = async (): Promise<boolean> => {
	try {
		await runCommand(["virsh", "-c", uri, "domfsthaw", "--domain", vm], { deadlineMs: 10_000 });
		return true;
	} catch (thrown) {
		return /not running|no domain|not found|failed to get domain/i.test(
			asKnibError(thrown).message,
		);
	}
};

const thawUntilDone = async (): Promise<void> => {
	process.stdout.write("fired\n");
	const end = Date.now() + GIVE_UP_MS;
	while (!(await thaw()) && Date.now() < end) await wait(RETRY_MS);
};

const told = new Promise<boolean>((resolve) => {
	const lines = createInterface({ input: process.stdin });
	lines.on("line", (line) => {
		if (line.trim() === "done") resolve(true);
	});
	lines.on("close", () => resolve(false));
});

// The reader may be gone: that is the case this process is for.
process.stdout.on("error", () => undefined);
process.stdout.write("watching\n");
const inTime = await Promise.race([told, wait(Number(maximum), false)]);
if (!inTime) await thawUntilDone();
process.exit(0);
