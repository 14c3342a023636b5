export {
	counted,
	duration,
	instant,
	keyWords,
	safe,
	safeLines,
	short,
	size,
} from "@knib/core/text";
