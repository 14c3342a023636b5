import { KnibError, type ScheduleCreateInput, scheduleCreateInputSchema } from "@knib/core";
import test from "ava";
import { runsAfter } from "../../../apps/host-daemon/src/catalog/cron.ts";
import { aCatalog } from "../../support/api-world.ts";

const codeOf = (error: unknown): string =>
	error instanceof KnibError ? error.code : String(error);
const input = (override: Partial<ScheduleCreateInput> = {}): ScheduleCreateInput =>
	scheduleCreateInputSchema.parse({
		...{ name: "nightly", cron: "30 2 * * *", timezone: "UTC", vm: "*" },
		...override,
	});

test("schedules › are created, changed and deleted by name or a part of the id", async (t) => {
	const { books } = await aCatalog();
	const made = await (await books.schedules.create(input())).apply();
	t.regex(made.nextRun ?? "", /T02:30:00\.000Z$/);
	t.is(codeOf(await t.throwsAsync(() => books.schedules.create(input()))), "EXISTS");
	const change = await books.schedules.update("nightly", { cron: "@hourly" });
	t.deepEqual(change.explain, ["changes the schedule nightly", 'sets cron to "@hourly"']);
	t.like(await change.apply(), { cron: "@hourly", vm: "*" });
	await (await books.schedules.update("nightly", { tag: "prod" })).apply();
	const untagged = await books.schedules.update("nightly", { tag: null });
	t.deepEqual(untagged.explain, ["changes the schedule nightly", "takes tag away"]);
	t.false("tag" in (await untagged.apply()));
	const preview = await books.schedules.preview(made.id.slice(-6), 3);
	t.is(preview.runs.length, 3);
	await (await books.schedules.delete("nightly")).apply();
	t.deepEqual(await books.schedules.list(), []);
	t.is(codeOf(await t.throwsAsync(() => books.schedules.find("nightly"))), "NOT_FOUND");
});

for (const [title, override] of [
	["words", { cron: "every night" }],
	["six fields", { cron: "0 30 2 * * *" }],
	["a 61st minute", { cron: "61 2 * * *" }],
	["an unknown time zone", { timezone: "Mars/Olympus" }],
] as const) {
	test(`schedules › refuse ${title}, with the accepted form`, async (t) => {
		const { books } = await aCatalog();
		const error = await t.throwsAsync(() => books.schedules.create(input(override)), {
			instanceOf: KnibError,
		});
		t.is(error?.code, "USAGE");
		t.regex(String(error?.details["hint"]), /five fields/);
		t.deepEqual(await books.schedules.list(), []);
	});
}

test("runsAfter › runs once through either change of the clocks", (t) => {
	const berlin = { cron: "30 2 * * *", timezone: "Europe/Berlin" };
	const at = (from: string): readonly string[] =>
		runsAfter(berlin, Date.parse(from), 3).map((ms) => new Date(ms).toISOString());
	t.deepEqual(at("2026-03-28T12:00:00Z"), [
		"2026-03-29T01:00:00.000Z",
		"2026-03-30T00:30:00.000Z",
		"2026-03-31T00:30:00.000Z",
	]);
	const autumn = at("2026-10-24T12:00:00Z");
	t.deepEqual(
		autumn.map((one) => one.slice(0, 10)),
		["2026-10-25", "2026-10-26", "2026-10-27"],
	);
});
