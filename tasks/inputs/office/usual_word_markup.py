"""The usual markup of Word documents (ECMA-376, part 1, 17, 20 and 22; part 4, 14 and 19).

The tables have what programs write, as far as it neither hides, moves, covers, cuts nor replaces text, or as another
module judges exactly what it does.
"""

from typing import Final

from tasks.inputs.office import equations
from tasks.inputs.office.usual_markup import UsualMarkup
from tasks.inputs.office.word_parts import NAMESPACES

_NAMES: Final = """
    adjustRightInd autoSpaceDE autoSpaceDN b bCs bidi bidiVisual caps cantSplit contextualSpacing em
    hideMark i iCs  keepLines keepNext kinsoku lang locked mirrorIndents noEndnote noProof noWrap oMath
    outlineLvl overflowPunct pageBreakBefore pStyle rStyle rtlGutter smallCaps snapToGrid
    suppressAutoHyphens suppressLineNumbers suppressOverlap tblHeader tblStyle tblOverlap textAlignment
    textboxTightWrap titlePg topLinePunct vAlign vertAlign vMerge widowControl wordWrap formProt divId
     highlight ilvl numId richText tblCaption tblDescription tblStyleColBandSize
    tblStyleRowBandSize jc

    document body p r t tbl tr tc tblPr tblPrEx tblGrid trPr tcPr pPr rPr sectPr tabs numPr pBdr tblBorders tcBorders
    tblCellMar tcMar pgBorders sdt sdtPr sdtEndPr sdtContent txbxContent drawing pict object lastRenderedPageBreak cr
    noBreakHyphen softHyphen instrText delText delInstrText annotationRef footnoteRef endnoteRef separator
    continuationSeparator ruby rubyBase rt rubyPr rubyAlign hps hpsRaise hpsBaseText lid pgNum dayShort dayLong
    monthShort monthLong yearShort yearLong hdr ftr footnotes endnotes fldData ffData enabled calcOnExit
    entryMacro exitMacro textInput checkBox default checked sizeAuto size ddList result listEntry maxLength format
    statusText helpText numbering smartTagPr customXmlPr placeholder docPart temporary text equation picture
    citation group bibliography docPartObj docPartList docPartGallery docPartCategory docPartUnique alias tag id lock
    showingPlcHdr tblPrExChange footnotePr endnotePr pos numFmt numStart numRestart headers subDocument

    styles docDefaults rPrDefault pPrDefault style latentStyles name aliases basedOn next link autoRedefine uiPriority
    semiHidden unhideWhenUsed qFormat personal personalCompose personalReply rsid tblStylePr
    abstractNum num nsid multiLevelType tmpl styleLink numStyleLink lvl start lvlRestart isLgl lvlJc lvlPicBulletId
    legacy numPicBullet abstractNumId lvlOverride startOverride numIdMacAtCleanup

    settings writeProtection view removePersonalInformation removeDateAndTime doNotDisplayPageBoundaries
    displayBackgroundShape printPostScriptOverText printFractionalCharacterWidth printFormsData embedTrueTypeFonts
    embedSystemFonts saveSubsetFonts saveFormsData mirrorMargins alignBordersAndEdges bordersDoNotSurroundHeader
    bordersDoNotSurroundFooter gutterAtTop hideSpellingErrors hideGrammaticalErrors activeWritingStyle proofState
    formsDesign attachedTemplate stylePaneFormatFilter stylePaneSortMethod documentType trackRevisions doNotTrackMoves
    doNotTrackFormatting documentProtection autoFormatOverride styleLockTheme styleLockQFSet defaultTabStop
    autoHyphenation consecutiveHyphenLimit hyphenationZone doNotHyphenateCaps showEnvelope summaryLength
    clickAndTypeStyle defaultTableStyle evenAndOddHeaders bookFoldRevPrinting bookFoldPrinting bookFoldPrintingSheets
    drawingGridHorizontalSpacing drawingGridVerticalSpacing displayHorizontalDrawingGridEvery
    displayVerticalDrawingGridEvery doNotUseMarginsForDrawingGridOrigin drawingGridHorizontalOrigin
    drawingGridVerticalOrigin doNotShadeFormData noPunctuationKerning characterSpacingControl printTwoOnOne
    strictFirstAndLastChars noLineBreaksAfter noLineBreaksBefore savePreviewPicture doNotValidateAgainstSchema
    saveInvalidXml ignoreMixedContent alwaysShowPlaceholderText doNotDemarcateInvalidXml saveXmlDataOnly
    useXSLTWhenSaving showXMLTags alwaysMergeEmptyNamespace updateFields hdrShapeDefaults compat docVars docVar rsids
    rsidRoot attachedSchema themeFontLang clrSchemeMapping doNotIncludeSubdocsInStats doNotAutoCompressPictures
    forceUpgrade captions caption readModeInkLockDown smartTagType shapeDefaults
    mailMerge mainDocumentType dataType query linkToQuery doNotSuppressBlankLines doNotEmbedSmartTags decimalSymbol
    listSeparator zoom revisionView noLineBreaksBeforeSet

    useSingleBorderforContiguousCells wpJustification noTabHangInd noLeading spaceForUL noColumnBalance
    balanceSingleByteDoubleByteWidth noExtraLineSpacing doNotLeaveBackslashAlone ulTrailSpace doNotExpandShiftReturn
    spacingInWholePoints lineWrapLikeWord6 printBodyTextBeforeHeader printColBlack wpSpaceWidth showBreaksInFrames
    subFontBySize suppressBottomSpacing suppressTopSpacing suppressSpacingAtTopOfPage suppressTopSpacingWP
    suppressSpBfAfterPgBrk swapBordersFacingPages convMailMergeEsc truncateFontHeightsLikeWP6 mwSmallCaps
    usePrinterMetrics doNotSuppressParagraphBorders wrapTrailSpaces footnoteLayoutLikeWW8 shapeLayoutLikeWW8
    alignTablesRowByRow forgetLastTabAlignment adjustLineHeightInTable autoSpaceLikeWord95 noSpaceRaiseLower
    doNotUseHTMLParagraphAutoSpacing layoutRawTableWidth layoutTableRowsApart useWord97LineBreakRules
    doNotBreakWrappedTables doNotSnapToGridInCell selectFldWithFirstOrLastChar applyBreakingRules
    doNotWrapTextWithPunct doNotUseEastAsianBreakRules useWord2002TableStyleRules growAutofit useFELayout
    useNormalStyleForList doNotUseIndentAsNumberingTabStop useAltKinsokuLineBreakRules
    allowSpaceOfSameStyleInTable doNotSuppressIndentation doNotAutofitConstrainedTables autofitToFirstFixedWidthCell
    underlineTabInNumList displayHangulFixedWidth splitPgBreakAndParaMark doNotVertAlignCellWithSp
    doNotBreakConstrainedForcedTable doNotVertAlignInTxbx useAnsiKerningPairs cachedColBalance
"""
"""Elements with no other attributes than those that all may have."""
_OF_ALL: Final = (
    "val id author date rsidR rsidRPr rsidRDefault rsidP rsidTr rsidSect rsidDel space paraId textId noSpellErr "
    "dateUtc Ignorable"
)
"""Attributes that every element may have: that of most properties, and those that only tell who wrote something."""
_COLOR: Final = "themeColor themeTint themeShade themeFill themeFillTint themeFillShade"
_BORDER: Final = (
    f"color sz=[0-9]{{1,2}} space=[0-9]{{1,2}} shadow frame {_COLOR} w=[0-9]{{1,3}}(?:\\.[0-9]{{1,6}})? type"
)
_NOT_OF_SIGNS: Final = r"(?i:(?!(?:symbol|wingdings(?:\s[23])?|webdings|marlett|zapf\s?dingbats)\Z).*)"
_OFF: Final = "0|false|off"
_SWITCH: Final = f"val={_OFF}|1|true|on"
_DISTANCE: Final = "[0-9]{1,4}"
_LENGTH: Final = r"-?[0-9]{1,6}(?:\.[0-9]{1,6})?(?:pt|in|cm|mm|pc|pi)?"
_OTHERS: Final = rf"""
    document conformance
    background color {_COLOR}
    tab pos leader alignment relativeTo
    ptab alignment relativeTo leader
    br type clear
    ind left right start end firstLine hanging leftChars rightChars startChars endChars firstLineChars hangingChars
    spacing val=-?[0-9]{{1,3}}(?:\.[0-9]{{1,6}})?(?:pt)? before beforeLines beforeAutospacing after afterLines \
        afterAutospacing line lineRule
    color {_COLOR}
    u color {_COLOR}
    shd fill color {_COLOR}
    bdr {_BORDER}
    top {_BORDER}
    left {_BORDER}
    bottom {_BORDER}
    right {_BORDER}
    start {_BORDER}
    end {_BORDER}
    insideH {_BORDER}
    insideV {_BORDER}
    tl2br {_BORDER}
    tr2bl {_BORDER}
    between {_BORDER}
    bar {_BORDER}
    rFonts ascii={_NOT_OF_SIGNS} hAnsi={_NOT_OF_SIGNS} eastAsia cs hint asciiTheme hAnsiTheme eastAsiaTheme cstheme
    lang eastAsia bidi
    cs {_SWITCH}
    rtl {_SWITCH}
    hidden {_SWITCH}
    vanish {_SWITCH}
    specVanish {_SWITCH}
    strike {_SWITCH}
    dstrike {_SWITCH}
    outline {_SWITCH}
    shadow {_SWITCH}
    emboss {_SWITCH}
    imprint {_SWITCH}
    sz val={_LENGTH}
    szCs val={_LENGTH}
    kern val={_LENGTH}
    position val={_LENGTH}
    w val=[0-9]{{1,3}}%?
    highlight val=[a-zA-Z]+
    gridSpan val=[0-9]{{1,3}}
    gridBefore val=[0-9]{{1,3}}
    gridAfter val=[0-9]{{1,3}}
    effect val=none
    eastAsianLayout combine={_OFF} vert={_OFF}
    textDirection val=lrTb|lr|tb
    framePr w h hRule hSpace vSpace wrap vAnchor hAnchor x y xAlign yAlign dropCap lines anchorLock
    cnfStyle firstRow lastRow firstColumn lastColumn oddVBand evenVBand oddHBand evenHBand firstRowFirstColumn \
        firstRowLastColumn lastRowFirstColumn lastRowLastColumn
    tblpPr leftFromText={_DISTANCE} rightFromText={_DISTANCE} topFromText={_DISTANCE} bottomFromText={_DISTANCE} \
        vertAnchor horzAnchor tblpXSpec tblpX tblpYSpec tblpY
    tblW w type
    tblInd w type
    tblCellSpacing w=[0-9]{{1,3}} type
    tblLayout type
    tblLook firstRow lastRow firstColumn lastColumn noHBand noVBand
    gridCol w
    trHeight hRule
    wBefore w type=dxa
    wAfter w type
    tcW w type
    pgSz w h orient code
    pgMar top=-?{_DISTANCE} right={_DISTANCE} bottom=-?{_DISTANCE} left={_DISTANCE} header footer gutter
    pgBorders offsetFrom zOrder display
    pgNumType fmt start chapStyle chapSep
    lnNumType countBy start distance restart
    paperSrc first other
    cols num=[1-4] space=[0-9]{{1,4}} equalWidth sep
    col w=[0-9]{{3,5}} space=[0-9]{{1,4}}
    docGrid type linePitch charSpace=-?[0-9]{{1,4}}|[0-9]{{5}}
    type
    headerReference type
    footerReference type
    printerSettings
    hyperlink anchor history tgtFrame tooltip docLocation
    bookmarkStart name colFirst colLast displacedByCustomXml
    bookmarkEnd displacedByCustomXml
    permStart edGrp ed colFirst colLast displacedByCustomXml
    permEnd displacedByCustomXml
    proofErr type
    commentRangeStart displacedByCustomXml
    commentRangeEnd displacedByCustomXml
    commentReference
    footnoteReference customMarkFollows
    endnoteReference customMarkFollows
    footnote type
    endnote type
    ins
    del
    moveFrom
    moveTo
    moveFromRangeStart name colFirst colLast displacedByCustomXml
    moveFromRangeEnd displacedByCustomXml
    moveToRangeStart name colFirst colLast displacedByCustomXml
    moveToRangeEnd displacedByCustomXml
    cellIns
    cellDel
    rPrChange
    pPrChange
    sectPrChange
    tblPrChange
    tblGridChange
    trPrChange
    tcPrChange
    numberingChange original
    fldChar fldCharType fldLock dirty
    fldSimple instr fldLock dirty
    statusText type
    helpText type
    sym font char
    bdo val=ltr
    dir val=ltr
    smartTag uri element
    customXml uri element
    attr uri name
    object dxaOrig dyaOrig anchorId
    drawing anchorId
    pict anchorId
    text multiLine

    style type styleId default customStyle
    tblStylePr type
    latentStyles defLockedState defUIPriority defSemiHidden defUnhideWhenUsed defQFormat count
    lsdException name locked uiPriority semiHidden unhideWhenUsed qFormat
    abstractNum abstractNumId restartNumberingAfterBreak
    num numId durableId
    lvl ilvl tplc tentative
    lvlText val=(?:[^0-9%]|%[1-9])* null
    suff val=tab|space|nothing
    lvlOverride ilvl
    legacy legacy legacySpace legacyIndent
    numPicBullet numPicBulletId
    numFmt format

    zoom percent
    view val=none|print|normal|web
    proofState spelling grammar
    activeWritingStyle appName lang vendorID dllVersion nlCheck checkStyle
    stylePaneFormatFilter allStyles customStyles latentStyles stylesInUse headingStyles numberingStyles tableStyles \
        directFormattingOnRuns directFormattingOnParagraphs directFormattingOnNumbering directFormattingOnTables \
        clearFormatting top3HeadingStyles visibleStyles alternateStyleNames
    documentProtection edit formatting enforcement cryptProviderType cryptAlgorithmClass cryptAlgorithmType \
        cryptAlgorithmSid cryptSpinCount hash salt algorithmName hashValue saltValue spinCount algIdExt \
        algIdExtSource cryptProvider cryptProviderTypeExt cryptProviderTypeExtSource
    writeProtection recommended cryptProviderType cryptAlgorithmClass cryptAlgorithmType cryptAlgorithmSid \
        cryptSpinCount hash salt algorithmName hashValue saltValue spinCount
    revisionView markup comments insDel formatting inkAnnotations
    clrSchemeMapping bg1 t1 bg2 t2 accent1 accent2 accent3 accent4 accent5 accent6 hyperlink followedHyperlink
    themeFontLang eastAsia bidi
    noLineBreaksAfter lang
    noLineBreaksBefore lang
    compatSetting name=compatibilityMode|overrideTableStyleFontSizeAndJustification|enableOpenTypeFeatures|\
doNotFlipMirrorIndents|differentiateMultirowTableHeaders|useWord2013TrackBottomHyphenation|\
allowHyphenationAtTrackBottom|allowTextAfterFloatingTableBreak uri
    docVar name
    caption name pos chapNum heading noLabel numFmt sep
    smartTagType namespaceuri name url
    readModeInkLockDown actualPg w h fontSz
"""
_WORD_2010: Final = """
    ligatures val
    numForm val
    numSpacing val
    stylisticSets
    styleSet val id
    cntxtAlts val
    docId val
    defaultImageDpi val
    discardImageEditingData val
    conflictMode val
    textOutline w cap cmpd algn
    textFill
    noFill
    solidFill
    prstDash val
    round
    bevel
    miter lim
    srgbClr val
    schemeClr val
    alpha val
    lumMod val
    lumOff val
    tint val
    shade val
    satMod val
    shadow blurRad=[0-9]{1,5} dist=[0-9]{1,5} dir sx=100000 sy=100000 kx=0 ky=0 algn
    glow rad=[0-9]{1,5}
    scene3d
    camera prst=orthographicFront
    lightRig rig dir
    rot lat=0 lon=0 rev=0
    props3d extrusionH=0 contourW=0 prstMaterial
    checkbox
    checked val
    checkedState font val
    uncheckedState font val
"""
_WORD_2012: Final = """
    docId val
    chartTrackingRefBased val
    color val themeColor themeTint themeShade
    appearance val
    repeatingSection
    repeatingSectionItem
    webExtensionLinked val
    webExtensionCreated val
"""
_EMU: Final = "-?[0-9]{1,8}"
_DISTANCES: Final = "distT distB distL distR"
_PLACED: Final = rf"""
    inline {_DISTANCES} anchorId editId
    anchor {_DISTANCES} simplePos=0|false relativeHeight behindDoc locked layoutInCell allowOverlap hidden anchorId \
        editId
    simplePos x y
    positionH relativeFrom=page|margin|column|character|leftMargin|rightMargin
    positionV relativeFrom=page|margin|paragraph|line|topMargin|bottomMargin
    posOffset
    align
    extent cx cy
    effectExtent l t r b
    docPr id name descr title hidden
    cNvGraphicFramePr
    wrapNone
    wrapSquare wrapText {_DISTANCES}
    wrapTopAndBottom {_DISTANCES}
    wrapTight wrapText {_DISTANCES}
    wrapThrough wrapText {_DISTANCES}
    wrapPolygon edited
    start x y
    lineTo x y
"""
_PLACED_2010: Final = """
    sizeRelH relativeFrom
    sizeRelV relativeFrom
    pctWidth .=0
    pctHeight .=0
"""
_CHANGES_OF_COLOR: Final = """
    alpha lumMod lumOff tint shade satMod satOff hueMod hueOff comp inv gray alphaMod alphaOff lum sat hue gamma
    invGamma
"""
_MAIN: Final = rf"""
    graphic
    graphicData uri
    graphicFrameLocks noChangeAspect noGrp noSelect noMove noResize noDrilldown
    xfrm flipH rot=0
    off x={_EMU} y={_EMU}
    ext cx cy uri
    chOff x y
    chExt cx cy
    prstGeom prst=rect|roundRect|round[12]\w*Rect|snip[12]\w*Rect|snipRoundRect|ellipse|line|\w*Connector[1-5]|\
triangle|rtTriangle|\w*Arrow|wedge\w+|flowChart\w+|homePlate|chevron|parallelogram|trapezoid|diamond|pentagon|hexagon|\
octagon|bracketPair|bracePair|\w+Bracket|\w+Brace|foldedCorner|plaque|frame|star\d+|ribbon2?|plus
    avLst
    gd name fmla
    noFill
    solidFill
    gradFill flip rotWithShape
    gsLst
    gs pos
    lin ang scaled
    path path
    fillToRect l t r b
    tileRect l t r b
    blipFill dpi rotWithShape
    blip embed link cstate
    srcRect l t r b
    stretch
    fillRect l t r b
    tile tx ty sx sy flip algn
    pattFill prst
    fgClr
    bgClr
    srgbClr val
    schemeClr val
    sysClr val lastClr
    scrgbClr r g b
    prstClr val
    ln w=[0-9]{{1,6}} cap cmpd algn
    prstDash val
    custDash
    round
    bevel
    miter lim
    headEnd type w len
    tailEnd type w len
    effectLst
    outerShdw blurRad dist=[0-9]{{1,6}} dir sx=1[0-9]{{5}} sy=1[0-9]{{5}} kx=0 ky=0 algn rotWithShape
    effectRef idx
    fillRef idx
    fontRef idx
    lnRef idx
    spLocks noChangeArrowheads noChangeAspect noGrp noSelect noRot noMove noResize noEditPoints noAdjustHandles \
        noChangeShapeType noTextEdit
    picLocks noChangeArrowheads noChangeAspect noGrp noSelect noRot noMove noResize noEditPoints noAdjustHandles \
        noChangeShapeType noCrop
    cxnLocks
    grpSpLocks
    hlinkClick id tooltip action tgtFrame history highlightClick endSnd
    noAutofit
    normAutofit
    spAutoFit
    prstTxWarp prst=textNoShape
    extLst
"""
_SHAPE: Final = r"""
    wsp
    cNvPr id name descr title
    cNvSpPr txBox
    cNvCnPr
    spPr bwMode
    style
    txbx
    bodyPr rot=0 vertOverflow=overflow|clip horzOverflow=overflow vert=horz wrap=square|none lIns=[0-9]{1,8} \
        tIns=[0-9]{1,8} rIns=[0-9]{1,8} bIns=[0-9]{1,8} numCol=1 spcCol rtlCol fromWordArt=0 anchor anchorCtr \
        forceAA upright compatLnSpc spcFirstLastPara
"""
_PICTURE: Final = """
    pic
    nvPicPr
    cNvPr id name descr title hidden
    cNvPicPr preferRelativeResize
    blipFill dpi rotWithShape
    spPr bwMode
"""
_VML_STYLE: Final = (
    r"style=\s*(?:(?:position:(?:absolute|static|relative)|(?:margin-left|margin-top|left|top|width|height):"
    r"-?[0-9.]{1,9}(?:pt|in|cm|mm|px)?|z-index:-?[0-9]{1,12}|rotation:-?0|visibility:(?:visible|hidden)|v-text-anchor:[a-z-]+"
    r"|mso-(?:wrap-style:(?:square|none)|wrap-edited:f|wrap-distance-[a-z]+:[0-9.a-z]+|position-(?:horizontal|vertical):absolute"
    r"|position-(?:horizontal|vertical)-relative:(?:text|page|margin|char|line)|(?:width|height)-percent:0"
    r"|(?:width|height)-relative:[a-z-]+|fit-shape-to-text:[tf]))\s*(?:;\s*|\Z))*"
)
_VML_SHAPE: Final = rf"""id ID spid type {_VML_STYLE} filled fillcolor stroked strokecolor \
        strokeweight=[0-9.]{{1,4}}(?:pt)? insetpen insetmode alt title coordsize adj allowincell allowoverlap gfxdata \
        ole bordertopcolor borderleftcolor borderbottomcolor borderrightcolor bullet preferrelative spt connectortype \
        anchorId hr hrstd hralign hrnoshade hrpct"""
_INSET: Final = r"(?:[0-9]{1,2}(?:\.[0-9]{1,6})?|\.[0-9]{1,6})(?:pt|mm)?|0?\.[0-9]{1,6}in"
_VML: Final = rf"""
    shapetype id coordsize spt path adj preferrelative filled stroked
    group id ID spid alt title {_VML_STYLE} coordorigin coordsize editas allowincell allowoverlap anchorId
    shape {_VML_SHAPE}
    rect {_VML_SHAPE}
    roundrect {_VML_SHAPE} arcsize
    line {_VML_SHAPE} from to
    oval {_VML_SHAPE}
    stroke joinstyle color weight=[0-9.]{{1,4}}(?:pt)? dashstyle miterlimit endcap startarrow endarrow \
        opacity linestyle
    fill type color color2 opacity detectmouseclick recolor rotate angle focus focussize method
    formulas
    f eqn
    path gradientshapeok connecttype connectlocs connectangles extrusionok textpathok arrowok textboxrect
    lock ext aspectratio text shapetype rotation
    imagedata id title croptop cropbottom cropleft cropright relid gain blacklevel href
    textbox {_VML_STYLE} inset=(?:{_INSET})?(?:,(?:{_INSET})?){{0,3}}
    shadow color opacity offset offset2 on=f
"""
_OFFICE: Final = """
    lock ext aspectratio text shapetype rotation grouping selection position
    OLEObject Type ProgID ShapeID DrawAspect ObjectID UpdateMode id
    LinkType
    LockedField
    FieldCodes
    shapedefaults ext spidmax style fillcolor strokecolor fill stroke
    shapelayout ext
    idmap ext data
    rules ext
    r id type idref
    proxy start end idref connectloc
    colormru ext colors
    colormenu ext fillcolor strokecolor
    regrouptable ext
    entry new old
    left ext on color
    top ext on color
    right ext on color
    bottom ext on color
"""
_OFFICE_WORD: Final = """
    wrap type side anchorx anchory
    anchorlock
    bordertop type width
    borderleft type width
    borderbottom type width
    borderright type width
"""
_MATH: Final = """
    oMath oMathPara oMathParaPr jc r t rPr f fPr num den sSup sSupPr sSub sSubPr sSubSup sSubSupPr sPre sPrePr sup sub e
    rad radPr deg degHide nary naryPr chr limLoc grow subHide supHide d dPr begChr endChr sepChr shp m mPr mr mcs mc
    mcPr count mcJc baseJc plcHide rSp rSpRule cGp cGpRule cSp limLow limLowPr limUpp limUppPr lim func funcPr fName acc
    accPr bar barPr pos vertJc groupChr groupChrPr box boxPr opEmu noBreak diff brk aln eqArr eqArrPr maxDist objDist
    argPr argSz ctrlPr sty scr nor lit type borderBox
    borderBoxPr hideTop hideBot hideLeft hideRight phant phantPr show
    mathPr mathFont brkBin brkBinSub smallFrac dispDef lMargin rMargin defJc wrapIndent wrapRight intLim naryLim
    preSp postSp interSp intraSp
"""
_GROUP: Final = """
    wgp
    cNvPr id name descr title
    cNvGrpSpPr
    grpSpPr bwMode
"""
_EXTENSIONS: Final = {
    "http://schemas.openxmlformats.org/markup-compatibility/2006": "AlternateContent\nChoice Requires\nFallback",
    "http://schemas.openxmlformats.org/drawingml/2006/chart": "chart id",
    "http://schemas.openxmlformats.org/drawingml/2006/diagram": "relIds dm lo qs cs",
    "http://schemas.openxmlformats.org/officeDocument/2006/bibliography": "Sources",
    "http://schemas.openxmlformats.org/schemaLibrary/2006/main": "schemaLibrary\nschema uri manifestLocation",
    "http://schemas.microsoft.com/office/drawing/2010/main": "useLocalDpi val\nimgProps\nimgLayer embed",
    "http://schemas.microsoft.com/office/drawing/2014/main": "creationId id val",
    "http://schemas.microsoft.com/office/drawing/2017/decorative": "decorative val",
    "http://schemas.microsoft.com/office/drawing/2016/SVG/main": "svgBlip embed",
    "http://schemas.microsoft.com/office/word/2016/wordml/cid": "docId val\ncommentId",
    "http://schemas.microsoft.com/office/word/2018/wordml": "docId val",
    "http://schemas.microsoft.com/office/word/2020/wordml/sdtdatahash": "dataHash dataHash",
}
"""Elements that newer programs add, without an effect on text."""


def _spelled_out(table: str) -> str:
    """Return a table with one line for each element, of one whose lines go on after a backslash."""
    return table.replace("\\\n", "")


def _with_common(table: str) -> str:
    lines = (line.partition(" ") for line in map(str.strip, _spelled_out(table).split("\n")) if line)
    return "\n".join(f"{name} {_OF_ALL} {own}" for name, _, own in lines)


def _one_a_line(names: str) -> str:
    return "\n".join(names.split())


def _with_value(names: str) -> str:
    return "\n".join(f"{name} val" for name in names.split())


_OFFICE_2010: Final = "http://schemas.microsoft.com/office/word/2010/"
_DRAWING: Final = ("http://schemas.openxmlformats.org/drawingml/2006/", "http://purl.oclc.org/ooxml/drawingml/")
USUAL: Final = UsualMarkup(
    {
        **dict.fromkeys(NAMESPACES, _with_common(f"{_one_a_line(_NAMES)}\n{_OTHERS}")),
        **{f"{drawing}main": f"{_spelled_out(_MAIN)}{_with_value(_CHANGES_OF_COLOR)}" for drawing in _DRAWING},
        **{f"{drawing}picture": _PICTURE for drawing in _DRAWING},
        **{f"{drawing}wordprocessingDrawing": _spelled_out(_PLACED) for drawing in _DRAWING},
        **dict.fromkeys(equations.NAMESPACES, _with_common(f"{_one_a_line(_MATH)}\nbrk alnAt")),
        f"{_OFFICE_2010}wordml": _spelled_out(_WORD_2010),
        f"{_OFFICE_2010}wordprocessingDrawing": _PLACED_2010,
        f"{_OFFICE_2010}wordprocessingShape": _spelled_out(_SHAPE),
        f"{_OFFICE_2010}wordprocessingGroup": _GROUP,
        "http://schemas.microsoft.com/office/word/2012/wordml": _WORD_2012,
        "urn:schemas-microsoft-com:vml": _spelled_out(_VML),
        "urn:schemas-microsoft-com:office:office": _OFFICE,
        "urn:schemas-microsoft-com:office:word": _OFFICE_WORD,
        **_EXTENSIONS,
    }
)
