/**
 * Code samples of a request, in every language of the documentation. Each is a whole program that can be saved, built
 * and run. Nothing here needs a browser: the tests write the samples out and run them.
 */
import { objectiveC, swift } from "./apple";
import { c } from "./c";
import { httpClient, restSharp } from "./csharp";
import { go } from "./go";
import { javaHttpClient, okhttp } from "./java";
import { axiosSample, fetchSample } from "./javascript";
import { dart, ocaml, r, ruby, rust } from "./more";
import { guzzle, phpCurl } from "./php";
import { requestsSample } from "./python";
import { readPlan, type Plan, type SampleOptions, type SampleRequest } from "./request";
import { langchain, openaiNode, openaiPython } from "./sdk";
import { curl, http } from "./shell";
import { anthropicNode, anthropicPython, dashscopePython, googleNode, googlePython } from "./vendor-sdk";
import { verifiedOf, type Verified } from "./verified";

export { KEY_VARIABLE, type SampleOptions, type SampleRequest } from "./request";

/** One way to write a request: a language, and within it a library. */
interface Writer {
  language: string;
  label: string;
  variant: string;
  variantLabel: string;
  highlight: string;
  /** The name under which the program can be saved and run. */
  file: string;
  write: (plan: Plan) => string | null;
}

export interface Sample {
  language: string;
  label: string;
  variant: string;
  variant_label: string;
  highlight: string;
  file: string;
  code: string;
  verified: Verified | null;
}

type Row = [
  language: string,
  label: string,
  variant: string,
  variantLabel: string,
  highlight: string,
  file: string,
  write: (plan: Plan) => string | null,
];

const ROWS: readonly Row[] = [
  ["shell", "Shell", "curl", "curl", "bash", "sample.sh", curl],
  ["javascript", "JavaScript", "fetch", "fetch", "javascript", "sample.mjs", fetchSample],
  ["javascript", "JavaScript", "axios", "axios", "javascript", "sample-axios.mjs", axiosSample],
  ["javascript", "JavaScript", "openai", "OpenAI SDK", "javascript", "sample-openai.mjs", openaiNode],
  ["javascript", "JavaScript", "anthropic", "Anthropic SDK", "javascript", "sample-anthropic.mjs", anthropicNode],
  ["javascript", "JavaScript", "google", "Google SDK", "javascript", "sample-google.mjs", googleNode],
  ["java", "Java", "okhttp", "OkHttp", "java", "Main.java", okhttp],
  ["java", "Java", "httpclient", "HttpClient", "java", "Main.java", javaHttpClient],
  ["swift", "Swift", "urlsession", "URLSession", "swift", "main.swift", swift],
  ["go", "Go", "net-http", "net/http", "go", "main.go", go],
  ["php", "PHP", "guzzle", "Guzzle", "php", "sample-guzzle.php", guzzle],
  ["php", "PHP", "curl", "curl", "php", "sample.php", phpCurl],
  ["python", "Python", "requests", "requests", "python", "sample.py", requestsSample],
  ["python", "Python", "openai", "OpenAI SDK", "python", "sample_openai.py", openaiPython],
  ["python", "Python", "langchain", "LangChain", "python", "sample_langchain.py", langchain],
  ["python", "Python", "anthropic", "Anthropic SDK", "python", "sample_anthropic.py", anthropicPython],
  ["python", "Python", "google", "Google SDK", "python", "sample_google.py", googlePython],
  ["python", "Python", "dashscope", "DashScope SDK", "python", "sample_dashscope.py", dashscopePython],
  ["http", "HTTP", "http1.1", "HTTP/1.1", "http", "sample.http", http],
  ["c", "C", "libcurl", "libcurl", "c", "sample.c", c],
  ["csharp", "C#", "httpclient", "HttpClient", "csharp", "Program.cs", httpClient],
  ["csharp", "C#", "restsharp", "RestSharp", "csharp", "Program.cs", restSharp],
  ["objective-c", "Objective-C", "nsurlsession", "NSURLSession", "objective-c", "main.m", objectiveC],
  ["ruby", "Ruby", "net-http", "Net::HTTP", "ruby", "sample.rb", ruby],
  ["ocaml", "OCaml", "cohttp", "cohttp", "ocaml", "main.ml", ocaml],
  ["dart", "Dart", "http", "http", "dart", "main.dart", dart],
  ["r", "R", "httr", "httr", "r", "sample.R", r],
  ["rust", "Rust", "reqwest", "reqwest", "rust", "main.rs", rust],
];

const WRITERS: readonly Writer[] = ROWS.map(([language, label, variant, variantLabel, highlight, file, write]) => ({
  language,
  label,
  variant,
  variantLabel,
  highlight,
  file,
  write,
}));

/** Return all samples of a request, in the order in which the pages show them. */
export function writeSamples(request: SampleRequest, options: SampleOptions): Sample[] {
  const plan = readPlan(request, options);
  return WRITERS.flatMap((writer) => {
    const code = writer.write(plan);
    if (code === null) return [];
    const { language, label, variant, variantLabel, highlight, file } = writer;
    const verified = verifiedOf(language, variant, options.operation ?? "", plan.stream);
    return [
      { language, label, variant, variant_label: variantLabel, highlight, file, code: `${code.trimEnd()}\n`, verified },
    ];
  });
}
