// Rocket.Chat's own message parser: JSON list of texts on stdin → JSON list of what they are parsed to.
const { parse } = require('@rocket.chat/message-parser');
const options = { emoticons: true, colors: true, katex: { dollarSyntax: false, parenthesisSyntax: true } };
const texts = JSON.parse(require('node:fs').readFileSync(0, 'utf-8'));
console.log(JSON.stringify(texts.map((text) => parse(text, options))));
