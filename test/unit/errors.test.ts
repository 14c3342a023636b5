import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { asKnibError, ERRORS, KnibError, viewError } from "@knib/core";
import test from "ava";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

test("errors › every code is used, and stands in docs/errors.md", async (t) => {
	const texts: string[] = [];
	for (const folder of [
		"packages/core/src",
		"packages/sync/src",
		"apps/host-daemon/src",
		"apps/cli/src",
	]) {
		for (const entry of await readdir(join(ROOT, folder), { recursive: true })) {
			if (!entry.endsWith(".ts") || entry === "errors.ts") continue;
			texts.push(await readFile(join(ROOT, folder, entry), "utf8"));
		}
	}
	const sources = texts.join("\n");
	const docs = await readFile(join(ROOT, "docs/errors.md"), "utf8");
	for (const code of Object.keys(ERRORS)) {
		t.true(sources.includes(`"${code}"`), `${code} is used nowhere`);
		t.true(docs.includes(`\`${code}\``), `${code} is not in docs/errors.md`);
	}
});

test("errors › a hint of the details wins over the table's", (t) => {
	const own = new KnibError("REFUSED", "no", { details: { hint: "do that" } });
	t.is(viewError(own).hint, "do that");
	t.is(viewError(new KnibError("REFUSED", "no")).hint, ERRORS.REFUSED.hint);
	t.is(asKnibError("odd").code, "INTERNAL");
});

test("errors › one of another copy of the class keeps its code and details", (t) => {
	class Copy extends Error {
		override readonly name = "KnibError";
		readonly code = "CONFIG_INVALID";
		readonly details = { hint: "correct the file" };
	}
	const { code, hint, message } = viewError(new Copy("line 3"));
	t.deepEqual(
		{ code, hint, message },
		{
			...{ code: "CONFIG_INVALID", hint: "correct the file", message: "line 3" },
		},
	);
	t.is(asKnibError(Object.assign(new Copy("x"), { code: "MADE_UP" })).code, "INTERNAL");
});
