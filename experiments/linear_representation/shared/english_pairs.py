"""The pairs of English words that are asked about, by family: fixed before any vector was looked at.

Capitals, peoples, plurals, comparatives and past tenses are those of Mikolov et al. 2013 (the test set that came with
word2vec); so is the family "male, female", with pairs added where that set has words too rare for our vectors. The
seventh family, of opposites, is that of the test on source code (`code_analogies`) and serves as a contrast: which of
two opposites is named first is a convention.
"""

from typing import Any

from experiments.linear_representation.shared.analogies import Relations


def _pairs(text: str) -> tuple[tuple[str, str], ...]:
    words: Any = text.replace(":", " ").split()
    return tuple(zip(words[::2], words[1::2], strict=True))


CAPITAL, PEOPLE, GENDER = "country, capital", "country, people", "male, female"
PLURAL, COMPARATIVE, PAST, OPPOSITE = "singular, plural", "comparative", "-ing, past", "opposites"

RELATIONS: Relations = {
    CAPITAL: _pairs("""
        greece:athens iraq:baghdad thailand:bangkok china:beijing germany:berlin switzerland:bern egypt:cairo
        australia:canberra vietnam:hanoi cuba:havana finland:helsinki pakistan:islamabad afghanistan:kabul
        england:london spain:madrid russia:moscow norway:oslo canada:ottawa france:paris italy:rome sweden:stockholm
        iran:tehran japan:tokyo"""),
    PEOPLE: _pairs("""
        albania:albanian argentina:argentinean australia:australian austria:austrian belarus:belorussian
        brazil:brazilian bulgaria:bulgarian cambodia:cambodian chile:chilean china:chinese colombia:colombian
        croatia:croatian denmark:danish england:english egypt:egyptian france:french germany:german greece:greek
        iceland:icelandic india:indian ireland:irish israel:israeli italy:italian japan:japanese korea:korean
        macedonia:macedonian malta:maltese mexico:mexican moldova:moldovan netherlands:dutch norway:norwegian
        peru:peruvian poland:polish portugal:portuguese russia:russian slovakia:slovakian spain:spanish sweden:swedish
        switzerland:swiss thailand:thai ukraine:ukrainian"""),
    GENDER: _pairs("""
        boy:girl brother:sister brothers:sisters dad:mom father:mother grandfather:grandmother grandpa:grandma
        grandson:granddaughter groom:bride he:she his:her husband:wife king:queen man:woman nephew:niece
        policeman:policewoman prince:princess son:daughter sons:daughters stepbrother:stepsister
        stepfather:stepmother stepson:stepdaughter uncle:aunt actor:actress waiter:waitress hero:heroine duke:duchess
        men:women boys:girls fathers:mothers husbands:wives male:female gentleman:lady"""),
    PLURAL: _pairs("""
        banana:bananas bird:birds bottle:bottles building:buildings car:cars cat:cats child:children cloud:clouds
        color:colors computer:computers cow:cows dog:dogs dollar:dollars donkey:donkeys dream:dreams eagle:eagles
        elephant:elephants eye:eyes finger:fingers goat:goats hand:hands horse:horses lion:lions machine:machines
        mango:mangoes man:men melon:melons monkey:monkeys mouse:mice onion:onions pear:pears pig:pigs
        pineapple:pineapples rat:rats road:roads snake:snakes woman:women"""),
    COMPARATIVE: _pairs("""
        bad:worse big:bigger bright:brighter cheap:cheaper cold:colder cool:cooler deep:deeper easy:easier fast:faster
        good:better great:greater hard:harder heavy:heavier high:higher hot:hotter large:larger long:longer loud:louder
        low:lower new:newer old:older quick:quicker safe:safer sharp:sharper short:shorter simple:simpler slow:slower
        small:smaller smart:smarter strong:stronger tall:taller tight:tighter tough:tougher warm:warmer weak:weaker
        wide:wider young:younger"""),
    PAST: _pairs("""
        dancing:danced decreasing:decreased describing:described enhancing:enhanced falling:fell feeding:fed flying:flew
        generating:generated going:went hiding:hid hitting:hit implementing:implemented increasing:increased
        jumping:jumped knowing:knew listening:listened looking:looked moving:moved paying:paid playing:played
        predicting:predicted reading:read running:ran saying:said screaming:screamed seeing:saw selling:sold
        shrinking:shrank singing:sang sitting:sat sleeping:slept slowing:slowed spending:spent striking:struck
        swimming:swam taking:took thinking:thought vanishing:vanished walking:walked writing:wrote"""),
    OPPOSITE: _pairs("""
        min:max first:last upper:lower true:false left:right start:end top:bottom before:after old:new high:low up:down
        big:little minimum:maximum positive:negative read:write open:close add:remove push:pull enter:exit
        create:destroy buy:sell win:lose show:hide input:output public:private"""),
}
"""Pairs with a word that is not among the vectors are counted and left out."""
