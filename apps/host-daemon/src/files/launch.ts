// The start of an appliance over one layer. qemu is told every format: the layer's here, those below by the headers that were proven
// before, and the appliance's disk is a throw-away overlay of libguestfs' own.
import { KnibError } from "@knib/core";
import { safe } from "@knib/core/text";
import type { Answer, Guestfish } from "./guestfish.ts";
import { commandLine, quotedLocal } from "./guestfish-quote.ts";

/** An appliance may have to be built first, and without KVM it starts slowly, ms. */
const LAUNCH_MS = 300_000;
const MEMORY_MIB = 768;

/** What guestfish said of an error, on one line. */
export const lastWords = (errors: string): string => {
	const lines = errors.split("\n").filter((line) => line.includes("error: "));
	const words = lines.map((line) => line.replace(/^.*?error: /, ""));
	return safe(words.length === 0 ? errors.trim().slice(0, 500) : words.join("; "));
};

const started = async (guestfish: Guestfish): Promise<boolean> =>
	(await guestfish.ask("list-devices")).lines.some((line) => line.startsWith("/dev/"));

/** Starts the appliance over the layer of a backup, whose headers the caller has proven: with KVM where that works, else without. Rejects with APPLIANCE_UNAVAILABLE. */
export const launch = async (guestfish: Guestfish, layer: string): Promise<void> => {
	const tell = async (...lines: readonly string[]): Promise<Answer> => {
		let answer: Answer = { lines: [], errors: "" };
		for (const line of lines) answer = await guestfish.ask(line, LAUNCH_MS);
		return answer;
	};
	const drive = commandLine("add-drive", quotedLocal(layer), "readonly:true", "format:qcow2");
	const first = await tell(`set-memsize ${MEMORY_MIB}`, drive, "run");
	if (await started(guestfish)) return;
	const second = await tell("set-backend-setting force_tcg 1", drive, "run");
	if (await started(guestfish)) return;
	throw new KnibError(
		"APPLIANCE_UNAVAILABLE",
		`libguestfs' appliance does not start: ${lastWords(first.errors) || lastWords(second.errors)}`,
		{ details: { hint: "see `knib doctor`; `libguestfs-test-tool` shows all that it does" } },
	);
};
