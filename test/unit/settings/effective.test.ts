import {
	checkSetting,
	effectiveSetting,
	KnibError,
	type SettingLayers,
	settingMilliseconds,
	settingNames,
} from "@knib/core";
import test from "ava";
import fc from "fast-check";

const ORDER = ["vm", "offering", "host", "cluster"] as const;
const value = fc.option(fc.integer({ min: -1, max: 10_000 }), { nil: undefined });
const layers = fc.record({ vm: value, offering: value, host: value, cluster: value });

test("effectiveSetting › the narrowest scope that sets a value wins", (t) => {
	fc.assert(
		fc.property(layers, (given) => {
			const set = ORDER.find((scope) => given[scope] !== undefined);
			const found = effectiveSetting("backup.chain.size", given);
			return (
				found.source === (set ?? "default") && found.value === (set === undefined ? 8 : given[set])
			);
		}),
	);
	t.pass();
});

test("effectiveSetting › without any layer every setting has its default", (t) => {
	for (const name of settingNames) t.is(effectiveSetting(name, {}).source, "default");
});

test("effectiveSetting › a stored value that is not acceptable is an error, not the default", (t) => {
	const stored: SettingLayers = { host: "eight" };
	const error = t.throws(() => effectiveSetting("backup.chain.size", stored), {
		instanceOf: KnibError,
	});
	t.is(error?.code, "SETTING_INVALID");
});

test("checkSetting › keeps typed values", (t) => {
	t.is(checkSetting("backup.validation.repeat", "boot"), "boot");
	t.throws(() => checkSetting("backup.validation.repeat", 1));
});

test("settingMilliseconds › converts by the table's unit", (t) => {
	t.is(settingMilliseconds("backup.freeze.maximum", 10), 10_000);
	t.is(settingMilliseconds("backup.compression.retry.interval", 60), 3_600_000);
	t.is(settingMilliseconds("jobs.keep", 30), 2_592_000_000);
	t.throws(() => settingMilliseconds("backup.copy.rate.limit", 1));
});
