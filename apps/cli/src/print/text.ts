export { counted, duration, instant, safe, safeLines, short, size } from "@knib/core/text";
