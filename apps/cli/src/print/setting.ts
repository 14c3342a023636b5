import type { SettingView } from "@knib/core";
import { safe } from "./text.ts";

/** A value with its unit. */
export const settingValue = ({ value, unit }: SettingView): string =>
	`${String(value)}${unit === null ? "" : ` ${unit}`}`;

/** One setting on one line. */
export const settingText = (setting: SettingView): string =>
	safe(`${setting.name} = ${settingValue(setting)} (${setting.source})`);
