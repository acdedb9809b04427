// What one can try: the tasks, each with a hint, and samples at a click. Their files are drawn by this project.

export const HINTS = {
  chat: "The full model: it runs what it needs, and answers over what was found.",
  ocr: "Every line and word, with its place on the page.",
  object_detection: "What is in the picture. Name things to find only those.",
  gui_detection: "Buttons, fields and links of a screenshot.",
  web_search: "Pages of the web about your question.",
  scraper: "One page of the web: put its address into the prompt.",
  speech_to_text: "What is said, and when. “Identify the speakers” and “by word” work.",
  translate: "Name the language: “Translate into French: …”",
  forecast: "How a series of numbers continues. “The next 12 months” says how far.",
  code_sandbox: "Python, run in a sandbox: put it into the prompt.",
};

const RECEIPT = { name: "receipt.png", type: "image/png" };
const text = { type: "string" };

export const SAMPLES = [
  { name: "Receipt: read it", task: "ocr", prompt: "", file: RECEIPT },
  {
    name: "Receipt: extract fields", task: "chat", prompt: "Extract these fields.", file: RECEIPT,
    schema: {
      type: "object",
      properties: { shop: text, date: { type: "string", format: "date" }, total: { type: "number" } },
      required: ["shop", "date", "total"],
      additionalProperties: false,
    },
  },
  { name: "Sign-up form", task: "gui_detection", prompt: "", file: { name: "form.png", type: "image/png" } },
  {
    name: "Two voices", task: "speech_to_text", prompt: "Identify the speakers.",
    file: { name: "voices.mp3", type: "audio/mpeg" },
  },
  { name: "Sales table", task: "forecast", prompt: "Forecast the next 12 months.", file: { name: "sales.csv", type: "text/csv" } },
];
