// What a user has set for one VM beside settings: SPEC 5.6 and the disks left out.
import { z } from "zod";
import { KnibError } from "../errors.ts";
import { parseQuantity } from "../quantities.ts";
import { targetSchema } from "./ids.ts";

/** Per-VM values; absent = the default or the setting of the like name. Durations are seconds. */
export const vmPolicySchema = z.strictObject({
	backupValidationCommand: z.string().min(1).max(4096).optional(),
	backupValidationCommandArguments: z.string().max(4096).optional(),
	/** `0`: exit code 0 is enough; else base64 of the exact stdout. */
	backupValidationCommandExpectedResult: z.string().max(100_000).optional(),
	backupValidationCommandTimeout: z.number().positive().max(86_400).optional(),
	backupValidationScreenshotWait: z.number().nonnegative().max(86_400).optional(),
	backupValidationBootTimeout: z.number().positive().max(86_400).optional(),
	excludeDisks: z.array(targetSchema).max(64).optional(),
});
export type VmPolicy = z.infer<typeof vmPolicySchema>;
export type VmPolicyKey = keyof VmPolicy;

const SECONDS = "a duration such as 90s or 2min, up to 24h";
const FORMS: Readonly<Record<VmPolicyKey, string>> = {
	backupValidationCommand: "the path of a program in the guest",
	backupValidationCommandArguments: "the program's arguments",
	backupValidationCommandExpectedResult: "0 for exit code 0, or the expected output in base64",
	backupValidationCommandTimeout: SECONDS,
	backupValidationScreenshotWait: SECONDS,
	backupValidationBootTimeout: SECONDS,
	excludeDisks: "disk targets with commas between, such as vdb,vdc",
};

/** All keys, in the order of SPEC 5.6. */
export const vmPolicyKeys: readonly VmPolicyKey[] = vmPolicySchema.keyof().options;

const isKey = (key: string): key is VmPolicyKey => Object.hasOwn(FORMS, key);

const readValue = (key: VmPolicyKey, text: string): unknown => {
	if (key === "excludeDisks") return text.split(/[\s,]+/).filter((part) => part !== "");
	return FORMS[key] === SECONDS ? parseQuantity(text, "s") : text;
};

/** Letters of base64; a text that no output can have is accepted too, since then the validation says what the output was. */
const isBase64 = (text: string): boolean => /^[A-Za-z0-9+/]+={0,2}$/.test(text);

/** A policy with changes as a user writes them; an empty text takes the key away. Throws SETTING_UNKNOWN and SETTING_INVALID with the accepted form. */
export const changeVmPolicy = (
	policy: VmPolicy,
	changes: Readonly<Record<string, string>>,
): VmPolicy => {
	const next: Record<string, unknown> = { ...policy };
	for (const [key, text] of Object.entries(changes)) {
		if (!isKey(key)) {
			throw new KnibError(
				"SETTING_UNKNOWN",
				`${JSON.stringify(key)} cannot be set for a VM: the keys are ${vmPolicyKeys.join(", ")}`,
				{
					details: {
						hint: "settings of the whole host or one VM: `knib settings set KEY VALUE --vm VM`",
					},
				},
			);
		}
		delete next[key];
		if (text === "") continue;
		const value = readValue(key, text);
		const parsed = vmPolicySchema.shape[key].safeParse(value);
		const odd = key === "backupValidationCommandExpectedResult" && text !== "0" && !isBase64(text);
		if (!parsed.success || value === undefined || odd) {
			throw new KnibError(
				"SETTING_INVALID",
				`${JSON.stringify(text)} is no value for ${key}: it takes ${FORMS[key]}`,
				{ details: { key, accepted: FORMS[key] } },
			);
		}
		next[key] = parsed.data;
	}
	return vmPolicySchema.parse(next);
};
