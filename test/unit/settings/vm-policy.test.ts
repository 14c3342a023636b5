import { changeVmPolicy, KnibError } from "@knib/core";
import test from "ava";

test("changeVmPolicy › reads values, and an empty one takes the key away", (t) => {
	const policy = changeVmPolicy(
		{ backupValidationCommand: "/bin/true" },
		{
			backupValidationCommand: "",
			backupValidationCommandTimeout: "2min",
			backupValidationCommandExpectedResult: "YWJhYmEK",
			excludeDisks: "vdb, vdc",
		},
	);
	t.deepEqual(policy, {
		backupValidationCommandTimeout: 120,
		backupValidationCommandExpectedResult: "YWJhYmEK",
		excludeDisks: ["vdb", "vdc"],
	});
});

for (const [key, text, code] of [
	["backupValidationBootTimeout", "soon", "SETTING_INVALID"],
	["backupValidationBootTimeout", "25h", "SETTING_INVALID"],
	["excludeDisks", "../etc", "SETTING_INVALID"],
	["backupValidationCommandExpectedResult", "not base64!", "SETTING_INVALID"],
	["backup.chain.size", "3", "SETTING_UNKNOWN"],
	["constructor", "3", "SETTING_UNKNOWN"],
] as const) {
	test(`changeVmPolicy › refuses ${key}=${text}`, (t) => {
		t.is(
			t.throws(() => changeVmPolicy({}, { [key]: text }), { instanceOf: KnibError })?.code,
			code,
		);
	});
}
