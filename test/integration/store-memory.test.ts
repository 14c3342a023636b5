// What the store takes. knibd has 150 MB resident with an empty store and 240 MB with 10,000 backups. Compiled, the store takes 93
// and 171 MiB of that; from the sources, on a busy machine where the garbage collector comes late, up to 20 more.
import test, { type ExecutionContext } from "ava";
import { z } from "zod";
import { startChild } from "../support/store/child.ts";
import { temporaryDirectory } from "../support/store/temporary-directory.ts";

const measureSchema = z.object({
	count: z.number(),
	openMs: z.number(),
	listMs: z.number(),
	residentMiB: z.number(),
	bytes: z.number(),
});

const measure = async (t: ExecutionContext, dir: string, write: number) => {
	const child = startChild(t, "measuring-child.ts", { args: [dir, String(write)] });
	const measured = measureSchema.parse(await child.next());
	t.is(await child.ended(), 0);
	return measured;
};

test.serial("store › is small when it is empty", async (t) => {
	const dir = await temporaryDirectory(t);
	// The first process compiles the sources for the second, as the installed package comes compiled.
	await measure(t, dir, 0);
	const measured = await measure(t, dir, 0);
	t.log(measured);
	t.true(measured.residentMiB < 120);
});

test.serial("store › stays below 220 MiB with 10,000 backups", async (t) => {
	const dir = await temporaryDirectory(t);
	await measure(t, dir, 10_000);
	const measured = await measure(t, dir, 0);
	t.log(measured);
	t.is(measured.count, 10_000);
	t.true(measured.residentMiB < 220);
});
