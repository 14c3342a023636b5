import {
	KnibError,
	parseQuantity,
	parseSetting,
	parseSettingName,
	type SettingName,
	settingForm,
	settingNames,
	settingRow,
} from "@knib/core";
import test, { type ExecutionContext } from "ava";
import fc from "fast-check";

const accepts = test.macro(
	(t: ExecutionContext, name: SettingName, cases: readonly (readonly [string, unknown])[]) => {
		for (const [text, value] of cases)
			t.is<unknown, unknown>(parseSetting(name, text), value, text);
	},
);
const refuses = test.macro((t: ExecutionContext, name: SettingName, texts: readonly string[]) => {
	for (const text of texts) {
		const error = t.throws(() => parseSetting(name, text), { instanceOf: KnibError }, text);
		t.is(error?.code, "SETTING_INVALID");
		t.true(error?.message.includes(settingForm(name)), "the accepted form is named");
	}
});

test("parseSetting › reads durations in the table's unit", accepts, "backup.timeout", [
	["43200", 43_200],
	["90s", 90],
	["2h", 7200],
	["1 min", 60],
	["1d", 86_400],
	["1500ms", 1.5],
]);
test("parseSetting › converts a duration into another unit", accepts, "backup.trash.grace", [
	["24", 24],
	["90min", 1.5],
	["2d", 48],
]);
test("parseSetting › reads rates", accepts, "backup.copy.rate.limit", [
	["0", 0],
	["200", 200],
	["200MB/s", 200],
	["1GB/s", 1000],
	["500kB/s", 0.5],
]);
test("parseSetting › reads sizes", accepts, "backup.validation.memory.limit", [
	["0", 0],
	["4GiB", 4 * 1024 ** 3],
	["500MB", 500_000_000],
]);
test("parseSetting › reads switches", accepts, "backup.compression.task.enabled", [
	["true", true],
	["Off", false],
	["no", false],
]);
test("parseSetting › reads choices, percent and paths", (t) => {
	t.is(parseSetting("backup.validation.repeat", "boot"), "boot");
	t.is(parseSetting("backup.repository.minimum.free", "7.5%"), 7.5);
	t.is(parseSetting("host.scratch.directory", "/srv/scratch"), "/srv/scratch");
});

test("parseSetting › refuses what is no duration", refuses, "backup.timeout", [
	"",
	"soon",
	"10 parsecs",
	"10MB",
	"-5",
	"0",
	"1e9",
	"NaN",
	"Infinity",
	"31d",
	"5 5",
	"0x10",
]);
test("parseSetting › refuses fractions of what is counted", refuses, "backup.chain.size", [
	"1.5",
	"8s",
	"10001",
	"-2",
]);
test(
	"parseSetting › refuses relative paths and control characters",
	refuses,
	"host.scratch.directory",
	["scratch", "", "/a\nb", "/a\u0000"],
);
test("parseSetting › refuses other words", refuses, "backup.validation.repeat", [
	"Digest",
	"never",
	"",
]);
test("parseSetting › refuses other switches", refuses, "backup.validation.task.enabled", [
	"1",
	"0",
	"maybe",
	"",
]);

test("parseSettingName › names what comes closest", (t) => {
	const error = t.throws(() => parseSettingName("backup.chain.length"), { instanceOf: KnibError });
	t.is(error?.code, "SETTING_UNKNOWN");
	t.regex(error?.message ?? "", /backup\.chain\.size/);
	t.is(
		t.throws(() => parseSettingName("__proto__"), { instanceOf: KnibError })?.code,
		"SETTING_UNKNOWN",
	);
});

const anyName = fc.constantFrom(...settingNames);

test("settings › every default is a value of its setting, as text too", (t) => {
	for (const name of settingNames) {
		const { default: value } = settingRow(name);
		t.is<unknown, unknown>(parseSetting(name, String(value)), value, name);
	}
});

test("parseSetting › any text gives a value in range or SETTING_INVALID", (t) => {
	fc.assert(
		fc.property(
			anyName,
			fc.oneof(fc.string(), fc.double().map(String), fc.integer().map(String)),
			(name, text) => {
				try {
					const value = parseSetting(name, text);
					const row = settingRow(name);
					return (
						row.kind !== "number" ||
						(typeof value === "number" && value >= row.min && value <= row.max)
					);
				} catch (error) {
					return error instanceof KnibError && error.code === "SETTING_INVALID";
				}
			},
		),
	);
	t.pass();
});

test("parseQuantity › a suffix multiplies", (t) => {
	fc.assert(
		fc.property(fc.integer({ min: 0, max: 1_000_000 }), (n) => {
			const seconds = parseQuantity(`${n}h`, "s") === n * 3600;
			return (
				seconds &&
				parseQuantity(`${n}KiB`, "bytes") === n * 1024 &&
				parseQuantity(String(n), null) === n
			);
		}),
	);
	t.pass();
});
