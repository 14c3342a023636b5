// The start of an appliance over one layer. qemu is told every format: the layer's here, those below by the headers that were proven
// before, and the appliance's disk is a throw-away overlay of libguestfs' own.
import { asKnibError, KnibError } from "@knib/core";
import { safe } from "@knib/core/text";
import type { Guestfish, StartGuestfish } from "./guestfish.ts";
import { commandLine, quotedLocal } from "./guestfish-quote.ts";

/** Starts an appliance over the layer of a backup, whose headers the caller has proven, with its files in a directory of its own. Rejects with APPLIANCE_UNAVAILABLE or DEADLINE, and leaves nothing running then. */
export type StartAppliance = (directory: string, layer: string) => Promise<Guestfish>;

/** How long an appliance may take to start, ms. */
export type LaunchDeadlines = {
	/** With KVM, or with whatever libguestfs finds best. A qemu whose KVM breaks down stands still for ever (seen with KVM within a VM). */
	readonly acceleratedMs: number;
	/** Emulated, on a busy machine, which may have to build the appliance first. */
	readonly emulatedMs: number;
};

const DEADLINES: LaunchDeadlines = { acceleratedMs: 40_000, emulatedMs: 300_000 };
const MEMORY_MIB = 768;

/** What guestfish said of an error, on one line. */
export const lastWords = (errors: string): string => {
	const lines = errors.split("\n").filter((line) => line.includes("error: "));
	const words = lines.map((line) => line.replace(/^.*?error: /, ""));
	return safe(words.length === 0 ? errors.trim().slice(0, 500) : words.join("; "));
};

/** Launches, and gives back why it did not; null when it is up. Rejects with DEADLINE or APPLIANCE_UNAVAILABLE when guestfish is over. */
const launched = async (
	guestfish: Guestfish,
	lines: readonly string[],
	deadlineMs: number,
): Promise<string | null> => {
	let errors = "";
	for (const line of lines) ({ errors } = await guestfish.ask(line, deadlineMs));
	const devices = await guestfish.ask("list-devices");
	return devices.lines.some((line) => line.startsWith("/dev/")) ? null : lastWords(errors);
};

const unavailable = (why: string): KnibError =>
	new KnibError("APPLIANCE_UNAVAILABLE", `libguestfs' appliance does not start: ${why}`, {
		details: { hint: "see `knib doctor`; `libguestfs-test-tool` shows all that it does" },
	});

/** The real {@link StartAppliance}: with KVM where that works, else without; where KVM once stood still it is not tried again. */
export const createStartAppliance = (
	start: StartGuestfish,
	{ acceleratedMs, emulatedMs }: LaunchDeadlines = DEADLINES,
): StartAppliance => {
	let stoodStill = false;
	const attempt = async (
		directory: string,
		lines: readonly string[],
		deadlineMs: number,
	): Promise<Guestfish | string> => {
		const guestfish = start(directory);
		try {
			const why = await launched(guestfish, lines, deadlineMs);
			if (why === null) return guestfish;
			await guestfish.close();
			return why;
		} catch (thrown) {
			await guestfish.close();
			throw thrown;
		}
	};
	return async (directory, layer) => {
		const drive = commandLine("add-drive", quotedLocal(layer), "readonly:true", "format:qcow2");
		const lines = [`set-memsize ${MEMORY_MIB}`, drive, "run"];
		let first = "KVM stands still on this host";
		if (!stoodStill) {
			try {
				const accelerated = await attempt(directory, lines, acceleratedMs);
				if (typeof accelerated !== "string") return accelerated;
				first = accelerated;
			} catch (thrown) {
				if (asKnibError(thrown).code !== "DEADLINE") throw thrown;
				stoodStill = true;
			}
		}
		const emulation = ["set-backend-setting force_tcg 1", ...lines];
		const emulated = await attempt(directory, emulation, emulatedMs);
		if (typeof emulated !== "string") return emulated;
		throw unavailable(first || emulated);
	};
};
