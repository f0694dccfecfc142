# What a program's page says of its options, for -h and for completion: a line "letter TAB long name TAB argument TAB words" each, sorted.
# The words are the first sentence of the option's paragraph, up to a semicolon; behind a further TAB stand the words that the paragraph has in
# .Cm, which are values that may be given. Reads mdoc: a page, and for a pusher also og-push(7).

function flush(	i) {
	if (letter == "")
		return
	sub(/[.:;]$/, "", text)
	print letter "\t" long "\t" argument "\t" text "\t" values
	letter = ""
}

# A macro line as text; what follows Ns has no blank before it.
function render(line,	n, word, i, out, glue, dash, close_) {
	gsub(/"/, "", line)
	n = split(line, word, " ")
	out = ""
	glue = 1
	close_ = ""
	for (i = 1; i <= n; i++) {
		if (word[i] == "Ns") {
			glue = 1
			continue
		}
		if (word[i] ~ /^(Ar|Cm|Pa|Li|Ql|Ev|Em|Sy|No|Va|Lk|Dv|Er)$/)
			continue
		if (word[i] == "Nm") {
			word[i] = name
		} else if (word[i] == "Fl") {
			dash = "-"
			continue
		} else if (word[i] == "Xr") {
			word[i + 1] = word[i + 1] "(" word[i + 2] ")"
			word[i + 2] = "Ns"
			continue
		} else if (word[i] == "Pq" || word[i] == "Dq") {
			out = out (glue ? "" : " ") (word[i] == "Pq" ? "(" : "\"")
			close_ = word[i] == "Pq" ? ")" : "\""
			glue = 1
			continue
		}
		out = out (glue || word[i] ~ /^[.,:;)]$/ ? "" : " ") dash word[i]
		glue = 0
		dash = ""
	}
	return out close_
}

FNR == 1 { section = "" }
/^\.Nm / && name == "" { name = $2 }
/^\.S[hs] / { flush(); section = $0 }
section ~ /^\.Sh (NAME|SYNOPSIS|ENVIRONMENT|FILES|EXIT|EXAMPLES|SEE|STANDARDS|CAVEATS)/ { next }
/^\.It Fl [A-Za-z]( Ar [^,]*)? , Fl -/ {
	flush()
	letter = $3
	argument = $0
	sub(/^.* , Fl -/, "", argument)
	long = argument
	sub(/ .*/, "", long)
	argument = render(substr(argument, length(long) + 2))
	text = values = ""
	done = 0
	depth = 0
	next
}
/^\.Bl/ { depth++; if (letter != "") { done = 1; list = depth } }
/^\.El/ { depth--; if (depth < 0) flush() }
/^\.It / && letter != "" && depth <= 0 { flush() }
letter == "" { next }
/^\.(It )?Cm / { value = $0; sub(/^\.(It )?Cm /, "", value); sub(/ .*/, "", value); if (value !~ /^[.,]$/) values = values (values == "" ? "" : " ") value }
/^\.(Pp|Bl|Bd|El|Ed|It)/ { if (text != "") done = 1; next }
done { next }
{
	line = $0
	if (line ~ /^\./)
		line = render(substr(line, 2))
	gsub(/\\-/, "-", line)
	gsub(/\\e/, "\\", line)
	gsub(/\\&/, "", line)
	text = text (text == "" || line ~ /^[.,:;)]/ ? "" : " ") line
	if (match(text, /; /)) {
		text = substr(text, 1, RSTART - 1)
		done = 1
	}
	if (line ~ /[.:;]$/)
		done = 1
}
END { flush() }
